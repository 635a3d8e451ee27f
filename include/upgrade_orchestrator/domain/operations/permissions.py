"""The permissions, their scopes, and the roles that have them (specification section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upgrade_orchestrator.domain.errors import Forbidden
from upgrade_orchestrator.domain.execution.commands import Command


class Permission(StrEnum):
    """What a caller may do, within a scope."""

    READ = "read"
    "See executions and their plans, instances and events."
    OPERATE = "operate"
    "Create upgrades, and give every command but the decisions on stages."
    APPROVE = "approve"
    "Approve or reject stages."
    ADMINISTER = "administer"
    "Change the registry, release parked events and executions, and raise fencing tokens."


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a permission: one tenant with ``tenant_id``, or ``EVERYTHING`` or ``REGISTRY``."""

    name: str
    tenant_id: str | None = None


EVERYTHING = Scope("everything")
"All tenants, and the registry."
REGISTRY = Scope("registry")
"The registry, whose entries belong to no tenant: roles that are limited to tenants may read it too."


def of_tenant(tenant_id: str) -> Scope:
    """The scope of one tenant."""
    return Scope("tenant", tenant_id)


PERMISSION_OF: dict[Command, Permission] = dict.fromkeys(Command, Permission.OPERATE) | {
    Command.APPROVE: Permission.APPROVE,
    Command.REJECT: Permission.APPROVE,
    Command.RELEASE: Permission.ADMINISTER,
}


class Role(StrEnum):
    """The roles that the set-up creates, by their names."""

    VIEWER = "Upgrade Viewer"
    OPERATOR = "Upgrade Operator"
    APPROVER = "Upgrade Approver"
    ADMIN = "Upgrade Admin"


ROLES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.OPERATE}),
    Role.APPROVER: frozenset({Permission.READ, Permission.APPROVE}),
    Role.ADMIN: frozenset(Permission),
}
LIMITED_ROLES = (Role.VIEWER, Role.OPERATOR, Role.APPROVER)
"Roles that also exist limited to one tenant."


def lacking(name: str, permission: Permission) -> Forbidden:
    """The error for a caller who lacks ``permission``; it says which roles have it."""
    *others, last = (role.value for role, held in ROLES.items() if permission in held)
    roles = f"{', '.join(others)} and {last}" if others else last
    return Forbidden(f"{name} lacks the permission to {permission.value} upgrades, which {roles} have")
