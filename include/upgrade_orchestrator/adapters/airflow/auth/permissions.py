"""Our permissions and roles as Airflow's auth manager names them: an action on a resource, as in FAB."""

from __future__ import annotations

from upgrade_orchestrator.domain.events.notifications import NoticeKind, notice_dag
from upgrade_orchestrator.domain.execution.execution import REQUEST_DAG
from upgrade_orchestrator.domain.operations.permissions import (
    EVERYTHING,
    LIMITED_ROLES,
    REGISTRY,
    ROLES,
    Permission,
    Role,
    Scope,
    of_tenant,
)

Grant = tuple[str, str]
"An action and the resource that it is granted on."

_RESOURCE = "Upgrades"
_NAMES = {EVERYTHING: _RESOURCE, REGISTRY: "Upgrade Registry"}


def action_of(permission: Permission) -> str:
    """The action that a grant of ``permission`` names, such as ``can_read``."""
    return f"can_{permission.value}"


def resource_of(scope: Scope) -> str:
    """The resource that a grant within ``scope`` names."""
    return _NAMES[scope] if scope.tenant_id is None else f"{_RESOURCE}:{scope.tenant_id}"


def grant_of(permission: Permission, scope: Scope = EVERYTHING) -> Grant:
    """The grant of ``permission`` within ``scope``: an action on a resource."""
    return action_of(permission), resource_of(scope)


_SHOWN = (
    *("Website", "Plugins", "DAG Runs", "DAG Versions", "DAG Dependencies", "DAG Code", "DAG Warnings"),
    *("Task Instances", "Task Logs", "HITL Detail"),
)
"""Resources that a user must be able to read so that Airflow shows our pages, and an upgrade's DAG with its Graph. None
is a DAG: Airflow shows only those that the user may read, and asks for both rights."""
_OUR_DAGS = (REQUEST_DAG, *(notice_dag(kind) for kind in NoticeKind))
"Our DAGs that always have the same id."
_PAGES: tuple[Grant, ...] = (
    *(("can_read", each) for each in _SHOWN),
    ("menu_access", "DAGs"),
    ("menu_access", "Task Instances"),
)
_IN_AIRFLOW: dict[Permission, tuple[Grant, ...]] = {
    Permission.READ: (*_PAGES, *(("can_read", f"DAG:{each}") for each in _OUR_DAGS)),
    # to trigger the DAG that asks for an upgrade
    Permission.OPERATE: (("can_edit", f"DAG:{REQUEST_DAG}"), ("can_create", f"DAG Run:{REQUEST_DAG}")),
    # to respond to an approval task in Airflow's UI; we decide whether the response counts
    Permission.APPROVE: (("can_edit", "HITL Detail"), ("menu_access", "HITL Detail")),
    Permission.ADMINISTER: (),
}
"What a user needs in addition, to do the same in Airflow's own UI."
FORMER: tuple[Grant, ...] = (("can_edit", "DAGs"), ("can_read", "DAGs"))
"What earlier versions granted on every DAG; the set-up takes it back."


def grants_of(role: Role) -> tuple[Grant, ...]:
    """All grants of the role, including those for Airflow's own pages; without those on the DAGs of upgrades."""
    held = [each for each in Permission if each in ROLES[role]]
    return tuple(grant for each in held for grant in (grant_of(each), *_IN_AIRFLOW[each]))


def tenant_roles(tenant_id: str) -> dict[str, tuple[Grant, ...]]:
    """The roles limited to one tenant. ``upgrade_request`` is not for them: it creates upgrades of any tenant."""
    own, always = of_tenant(tenant_id), (grant_of(Permission.READ, REGISTRY), *_PAGES)
    return {
        _limited(role, tenant_id): (*always, *(grant_of(each, own) for each in Permission if each in ROLES[role]))
        for role in LIMITED_ROLES
    }


def dag_grants(dag_id: str, tenant_id: str) -> dict[str, tuple[Grant, ...]]:
    """What each role, also those of the tenant, is granted on the DAG of an upgrade.

    ``can_edit`` is to pause and unpause the DAG, and to respond to an approval, for which Airflow asks for it as well.
    Responses in Airflow's UI count only from approvers for all tenants, so those of one tenant do not have it.
    """
    read: tuple[Grant, ...] = (("can_read", f"DAG:{dag_id}"),)
    both = (*read, ("can_edit", f"DAG:{dag_id}"))
    everywhere = {role.value: both if ROLES[role] - {Permission.READ} else read for role in Role}
    limited = {_limited(role, tenant_id): both if Permission.OPERATE in ROLES[role] else read for role in LIMITED_ROLES}
    return everywhere | limited


def _limited(role: Role, tenant_id: str) -> str:
    return f"{role.value} {tenant_id}"


AIRFLOW_ADMIN = ("Admin", tuple(grant_of(each) for each in Permission))
"Airflow's Admin role may do everything. FAB grants this itself only where it is set to update permissions."
