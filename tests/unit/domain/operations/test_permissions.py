"""The four roles hold exactly what the contract's section 9 gives them."""

import pytest

from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, RESOURCE, ROLES, Permission

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


SEEN = {("can_read", each) for each in ("Website", "DAGs", "DAG Runs", "DAG Versions", "Task Instances", "Task Logs")}
SEEN |= {
    ("can_read", "Plugins"),
    ("can_read", "HITL Detail"),
    ("menu_access", "DAGs"),
    ("menu_access", "Task Instances"),
}
ANSWERED = {("can_edit", "DAGs"), ("can_edit", "HITL Detail"), ("menu_access", "HITL Detail")}


REQUESTED = {("can_edit", "DAG:upgrade_request"), ("can_create", "DAG Run:upgrade_request")}


@pytest.mark.parametrize("role", GIVEN)
def test_role_sees_the_upgrades_in_airflow_approvers_answer_and_operators_ask_there(role: str) -> None:
    of_airflow = {each for each in ROLES[role] if each[1] != RESOURCE}
    answered = ANSWERED if P.APPROVE in GIVEN[role] else set()
    assert of_airflow == SEEN | answered | (REQUESTED if P.OPERATE in GIVEN[role] else set())


def test_there_are_four_roles() -> None:
    assert set(ROLES) == set(GIVEN)


@pytest.mark.parametrize("command", list(Command))
def test_command_needs_operating_and_decisions_on_stages_approving(command: Command) -> None:
    decision = command in (Command.APPROVE, Command.REJECT)
    assert PERMISSION_OF[command] is (P.APPROVE if decision else P.OPERATE)
