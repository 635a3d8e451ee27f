"""Who may do what: the permissions, what they are about, and the roles that hold them (section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upgrade_orchestrator.domain.errors import Forbidden
from upgrade_orchestrator.domain.execution.commands import Command


class Permission(StrEnum):
    """What a caller may do."""

    READ = "read"
    OPERATE = "operate"
    APPROVE = "approve"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a permission is about: one tenant with ``tenant_id``; else ``EVERYTHING`` or ``REGISTRY``."""

    name: str
    tenant_id: str | None = None


EVERYTHING = Scope("everything")
"All tenants, and the registry."
REGISTRY = Scope("registry")
"To be read by roles that are limited to tenants: its entries belong to no tenant."


def of_tenant(tenant_id: str) -> Scope:
    """One tenant only."""
    return Scope("tenant", tenant_id)


PERMISSION_OF: dict[Command, Permission] = {
    command: Permission.APPROVE if command in (Command.APPROVE, Command.REJECT) else Permission.OPERATE
    for command in Command
}


class Role(StrEnum):
    """The roles that the set-up makes, by their names."""

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
"Those that there also are for one tenant only."


def lacking(name: str, permission: Permission) -> Forbidden:
    """The refusal of a caller who lacks ``permission``; it says which roles have it."""
    *others, last = (role.value for role, held in ROLES.items() if permission in held)
    roles = f"{', '.join(others)} and {last}" if others else last
    return Forbidden(f"{name} lacks the permission to {permission.value} upgrades, which {roles} have")
