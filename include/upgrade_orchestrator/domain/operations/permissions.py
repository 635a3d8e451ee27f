"""Who may do what: the permissions and the roles that hold them (contract section 9)."""

from __future__ import annotations

from enum import StrEnum

from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.operations.request_fields import REQUEST_DAG


class Permission(StrEnum):
    """An action on the resource ``Upgrades`` (the registry has its own)."""

    READ = "can_read"
    OPERATE = "can_operate"
    APPROVE = "can_approve"
    ADMINISTER = "can_administer"


RESOURCE = "Upgrades"
"All tenants, and the registry."
REGISTRY = "Upgrade Registry"
"To be read by roles that are limited to tenants: what is in it belongs to none."


def resource_of(tenant_id: str) -> str:
    """The same as ``RESOURCE``, but of one tenant only."""
    return f"{RESOURCE}:{tenant_id}"


PERMISSION_OF: dict[Command, Permission] = {
    command: Permission.APPROVE if command in (Command.APPROVE, Command.REJECT) else Permission.OPERATE
    for command in Command
}

_SHOWN = ("Website", "Plugins", "DAGs", "DAG Runs", "DAG Versions", "Task Instances", "Task Logs", "HITL Detail")
"What Airflow's own pages need, so that they show ours (a plugin's) and an execution's links to them open."
_SEE = (
    (Permission.READ.value, RESOURCE),
    *(("can_read", each) for each in _SHOWN),
    ("menu_access", "DAGs"),
    ("menu_access", "Task Instances"),
)
_ANSWER = (("can_edit", "DAGs"), ("can_edit", "HITL Detail"), ("menu_access", "HITL Detail"))
"What Airflow asks of who answers a question in its UI; whether the answer counts is asked of us."
_REQUEST = (("can_edit", f"DAG:{REQUEST_DAG}"), ("can_create", f"DAG Run:{REQUEST_DAG}"))
"What Airflow asks of who triggers the DAG that asks for an upgrade."
_ALL = tuple((each.value, RESOURCE) for each in Permission)

ROLES: dict[str, tuple[tuple[str, str], ...]] = {
    "Upgrade Viewer": _SEE,
    "Upgrade Operator": (*_SEE, *_REQUEST, (Permission.OPERATE.value, RESOURCE)),
    "Upgrade Approver": (*_SEE, *_ANSWER, (Permission.APPROVE.value, RESOURCE)),
    "Upgrade Admin": (*_SEE, *_ANSWER, *_REQUEST, *_ALL),
}

_OF_TENANT = {
    "Upgrade Viewer": (),
    "Upgrade Operator": (Permission.OPERATE,),
    "Upgrade Approver": (Permission.APPROVE,),
}


def tenant_roles(tenant_id: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The roles limited to one tenant. They open our calls only: Airflow's own pages would show every tenant's DAGs."""
    own, registry = resource_of(tenant_id), (Permission.READ.value, REGISTRY)
    return {
        f"{role} {tenant_id}": (registry, *((each.value, own) for each in (Permission.READ, *more)))
        for role, more in _OF_TENANT.items()
    }


AIRFLOW_ADMIN = ("Admin", _ALL)
"Airflow's own administrators may do everything; FAB would grant it too, but only where it may update its permissions."
