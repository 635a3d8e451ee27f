"""Why a command has no button."""

from collections.abc import Collection

import pytest

from tests.unit.domain.builders import make_execution, make_request
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.available_actions import available_actions
from upgrade_orchestrator.domain.operations.permissions import ROLES, Permission, Role
from upgrade_orchestrator.web.view.execution.buttons import WORDS
from upgrade_orchestrator.web.view.execution.other_commands import other_commands

S = ExecutionStatus


def why(status: ExecutionStatus, permissions: Collection[Permission], strategy: Strategy) -> dict[str, str]:
    execution = make_execution(status, request=make_request(strategy=strategy), total_instances=4)
    offered = [each.command for each in available_actions(execution, None, permissions, "ada")]
    return dict(other_commands(execution, offered, permissions))


ALL = frozenset(Permission)


def test_status_that_does_not_accept_a_command_is_said_with_those_that_do() -> None:
    said = why(S.PAUSED, ALL, Strategy.CANARY)
    assert said["Pause"] == "only while it is In progress or Canary running"
    assert said["Promote"] == "only while it is Canary monitoring"
    assert said["Release"] == "only after the end"
    assert not {"Resume", "Cancel upgrade", "Roll back"} & said.keys()


def test_role_that_may_not_is_said_with_those_that_may() -> None:
    said = why(S.CANARY_MONITORING, ROLES[Role.VIEWER], Strategy.CANARY)
    assert said["Promote"] == "your role may not: Upgrade Operator or Upgrade Admin may"
    assert said["Pause"].startswith("only while it is In progress or Canary running; your role may not: ")


def test_commands_of_another_strategy_are_not_named() -> None:
    assert not {"Promote", "Approve", "Reject"} & why(S.IN_PROGRESS, ALL, Strategy.ROLLING).keys()
    assert why(S.IN_PROGRESS, ALL, Strategy.STAGED)["Approve"] == "only while a stage waits for an approval"


@pytest.mark.parametrize("status", ExecutionStatus)
@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("role", [None, *Role])
def test_each_command_has_either_a_button_or_a_reason(
    status: ExecutionStatus, strategy: Strategy, role: Role | None
) -> None:
    permissions = ROLES[role] if role else frozenset()
    execution = make_execution(status, request=make_request(strategy=strategy), total_instances=4)
    offered = {each.command for each in available_actions(execution, None, permissions, "ada")}
    said = dict(other_commands(execution, offered, permissions))
    assert all(said.values())
    open_ones = {each for each in Command if status in ALLOWED_FROM[each]}
    missing = {WORDS[each][0] for each in open_ones - offered}
    hidden = {"Promote"} if strategy is not Strategy.CANARY else set()
    hidden |= {"Approve", "Reject"} if strategy is not Strategy.STAGED else set()
    assert missing - hidden <= said.keys()
    assert not {WORDS[each][0] for each in offered} & said.keys()
