"""Our permissions and roles as Airflow's auth manager names them: an action on a resource, as in FAB."""

from __future__ import annotations

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


_SHOWN = ("Website", "Plugins", "DAGs", "DAG Runs", "DAG Versions", "Task Instances", "Task Logs", "HITL Detail")
"Resources that a user must be able to read so that Airflow shows our pages and the links from them open."
_IN_AIRFLOW: dict[Permission, tuple[Grant, ...]] = {
    Permission.READ: (
        *(("can_read", each) for each in _SHOWN),
        ("menu_access", "DAGs"),
        ("menu_access", "Task Instances"),
    ),
    # to trigger the DAG that asks for an upgrade
    Permission.OPERATE: (("can_edit", f"DAG:{REQUEST_DAG}"), ("can_create", f"DAG Run:{REQUEST_DAG}")),
    # to respond to an approval task in Airflow's UI; we decide whether the response counts
    Permission.APPROVE: (("can_edit", "DAGs"), ("can_edit", "HITL Detail"), ("menu_access", "HITL Detail")),
    Permission.ADMINISTER: (),
}
"What a user needs in addition, to do the same in Airflow's own UI."


def grants_of(role: Role) -> tuple[Grant, ...]:
    """All grants of the role, including those for Airflow's own pages."""
    held = [each for each in Permission if each in ROLES[role]]
    return tuple(grant for each in held for grant in (grant_of(each), *_IN_AIRFLOW[each]))


def tenant_roles(tenant_id: str) -> dict[str, tuple[Grant, ...]]:
    """The roles limited to one tenant. They open our API only: Airflow's own pages show the DAGs of all tenants."""
    own, registry = of_tenant(tenant_id), grant_of(Permission.READ, REGISTRY)
    return {
        f"{role.value} {tenant_id}": (registry, *(grant_of(each, own) for each in Permission if each in ROLES[role]))
        for role in LIMITED_ROLES
    }


AIRFLOW_ADMIN = ("Admin", tuple(grant_of(each) for each in Permission))
"Airflow's Admin role may do everything. FAB grants this itself only where it is set to update permissions."
