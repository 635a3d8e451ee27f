"""The four roles hold exactly what the contract's section 9 gives them."""

import pytest

from include.upgrades.domain.commands import Command
from include.upgrades.domain.permissions import PERMISSION_OF, RESOURCE, ROLES, Permission

P = Permission
GIVEN = {
    "Upgrade Viewer": {P.READ},
    "Upgrade Operator": {P.READ, P.OPERATE},
    "Upgrade Approver": {P.READ, P.APPROVE},
    "Upgrade Admin": set(P),
}


@pytest.mark.parametrize(("role", "given"), GIVEN.items())
def test_role_holds_what_the_contract_gives_it_and_no_more(role: str, given: set[Permission]) -> None:
    assert {Permission(action) for action, resource in ROLES[role] if resource == RESOURCE} == given


def test_there_are_four_roles_and_all_may_enter_the_website() -> None:
    assert set(ROLES) == set(GIVEN)
    for permissions in ROLES.values():
        assert {each for each in permissions if each[1] != RESOURCE} == {("can_read", "Website")}


@pytest.mark.parametrize("command", list(Command))
def test_command_needs_operating_and_decisions_on_stages_approving(command: Command) -> None:
    decision = command in (Command.APPROVE, Command.REJECT)
    assert PERMISSION_OF[command] is (P.APPROVE if decision else P.OPERATE)
