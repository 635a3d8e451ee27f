"""The four roles have exactly the permissions of specification section 9."""

import pytest

from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, ROLES, Permission, Role, lacking

P = Permission
GIVEN = {
    "Upgrade Viewer": {P.READ},
    "Upgrade Operator": {P.READ, P.OPERATE},
    "Upgrade Approver": {P.READ, P.APPROVE},
    "Upgrade Admin": set(P),
}


def test_roles_have_exactly_the_permissions_of_the_specification() -> None:
    assert {role.value: set(held) for role, held in ROLES.items()} == GIVEN
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize("command", list(Command))
def test_commands_require_the_permission_to_operate_decisions_to_approve_and_a_release_to_administer(
    command: Command,
) -> None:
    others = {Command.APPROVE: P.APPROVE, Command.REJECT: P.APPROVE, Command.RELEASE: P.ADMINISTER}
    assert PERMISSION_OF[command] is others.get(command, P.OPERATE)


def test_refusal_names_the_roles_that_have_the_permission() -> None:
    words = "olga lacks the permission to approve upgrades, which Upgrade Approver and Upgrade Admin have"
    assert lacking("olga", P.APPROVE).detail == words


@pytest.mark.parametrize("permission", list(P))
def test_refusal_names_no_role_without_the_permission(permission: Permission) -> None:
    named = {role for role in GIVEN if role in lacking("olga", permission).detail}
    assert named == {role for role, held in GIVEN.items() if permission in held}
