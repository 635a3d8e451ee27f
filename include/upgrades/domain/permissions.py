"""Who may do what: the permissions and the roles that hold them (contract section 9)."""

from __future__ import annotations

from enum import StrEnum

from include.upgrades.domain.commands import Command


class Permission(StrEnum):
    """An action on the resource ``Upgrades`` (the registry has its own)."""

    READ = "can_read"
    OPERATE = "can_operate"
    APPROVE = "can_approve"
    ADMINISTER = "can_administer"


RESOURCE = "Upgrades"

PERMISSION_OF: dict[Command, Permission] = {
    command: Permission.APPROVE if command in (Command.APPROVE, Command.REJECT) else Permission.OPERATE
    for command in Command
}

_WEBSITE = ("can_read", "Website")
_SEE = ((Permission.READ.value, RESOURCE), _WEBSITE)
_ALL = tuple((each.value, RESOURCE) for each in Permission)

ROLES: dict[str, tuple[tuple[str, str], ...]] = {
    "Upgrade Viewer": _SEE,
    "Upgrade Operator": (*_SEE, (Permission.OPERATE.value, RESOURCE)),
    "Upgrade Approver": (*_SEE, (Permission.APPROVE.value, RESOURCE)),
    "Upgrade Admin": (*_SEE, *_ALL),
}

AIRFLOW_ADMIN = ("Admin", _ALL)
"Airflow's own administrators may do everything; FAB would grant it too, but only where it may update its permissions."
