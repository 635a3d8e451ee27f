"""Which command is allowed in which status (specification sections 1 and 3), and their order of precedence."""

from itertools import product

import pytest

from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, SYSTEM, Actor, Command, Source, require_allowed
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

SPECIFICATION = {
    "start": "PENDING",
    "pause": "IN_PROGRESS CANARY_RUNNING",
    "resume": "PAUSED",
    "cancel": "PENDING VALIDATING IN_PROGRESS CANARY_RUNNING CANARY_MONITORING PAUSED ROLLING_BACK",
    "promote-canary": "CANARY_MONITORING",
    "rollback": "IN_PROGRESS CANARY_RUNNING CANARY_MONITORING PAUSED",
    "approve": "IN_PROGRESS",
    "reject": "IN_PROGRESS",
    "retry": "FAILED CANCELLED",
    "revert": "COMPLETED FAILED CANCELLED",
    "release": "ROLLED_BACK COMPLETED FAILED CANCELLED",
}
PAIRS = list(product(Command, ExecutionStatus))


@pytest.mark.parametrize(("command", "status"), PAIRS, ids=[f"{command} in {status}" for command, status in PAIRS])
def test_command_is_accepted_exactly_in_the_statuses_of_the_specification(
    command: Command, status: ExecutionStatus
) -> None:
    allowed = SPECIFICATION[command.value].split()
    if status.value in allowed:
        require_allowed(command, status)
        return
    with pytest.raises(InvalidState) as refusal:
        require_allowed(command, status)
    assert refusal.value.code == "INVALID_STATE"
    assert refusal.value.extra == {"currentStatus": status.value, "allowedFrom": allowed}
    assert refusal.value.detail == f"{command} is not possible in {status}, only from {', '.join(allowed)}"


def test_every_command_has_its_statuses() -> None:
    assert {command.value for command in Command} == set(SPECIFICATION) == {command.value for command in ALLOWED_FROM}


def test_commands_are_ranked_cancel_rollback_pause_promote() -> None:
    ranks = [command.value for command in Command]
    assert ranks[:4] == ["cancel", "rollback", "pause", "promote-canary"]


def test_actor_has_the_api_as_default_source() -> None:
    assert Actor("olga").source is Source.API
    assert (SYSTEM.name, SYSTEM.source) == ("system", Source.SYSTEM)
