"""Every refusal has a code of its own and a message that a person can act on (specification section 8)."""

import inspect

import pytest

from upgrade_orchestrator.domain import errors
from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    InvalidState,
    NoActiveUpgrade,
    NotFound,
    UpgradeBlocked,
    UpgradeError,
    ValidationFailed,
)

FAMILY = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, UpgradeError)]


@pytest.mark.parametrize("refusal", FAMILY)
def test_refusal_is_a_domain_error_with_a_valid_code(refusal: type[UpgradeError]) -> None:
    assert issubclass(refusal, UpgradeError)
    assert refusal.code == refusal.code.upper()


def test_codes_of_refusals_are_distinct() -> None:
    assert len({refusal.code for refusal in FAMILY}) == len(FAMILY)


def test_active_upgrade_refusal_names_the_active_execution() -> None:
    refusal = ActiveUpgradeExists("e-7")
    assert refusal.extra == {"activeExecutionId": "e-7"}
    assert str(refusal) == "execution e-7 is not finished; wait for its end or cancel it"


def test_active_upgrade_refusal_has_no_id_when_the_execution_has_ended_since() -> None:
    refusal = ActiveUpgradeExists(None)
    assert refusal.extra == {}
    assert str(refusal) == "another upgrade of this component was active until just now; send the request again"


def test_blocked_refusal_lists_every_blocker() -> None:
    refusal = UpgradeBlocked(["no path", "end of life"])
    assert (refusal.detail, refusal.extra["blockers"]) == ("no path; end of life", ["no path", "end of life"])


def test_validation_refusal_names_every_field() -> None:
    refusal = ValidationFailed([{"field": "batchSize", "message": "1 to 1000"}, {"field": "strategy", "message": "?"}])
    assert refusal.detail == "not accepted: batchSize, strategy"
    assert ValidationFailed.of("toVersionId", "must differ").extra["errors"] == [
        {"field": "toVersionId", "message": "must differ"}
    ]


def test_invalid_state_names_the_statuses_that_accept_the_command() -> None:
    refusal = InvalidState("pause", "PAUSED", ["IN_PROGRESS", "CANARY_RUNNING"])
    assert refusal.detail == "pause is not possible in PAUSED, only from IN_PROGRESS, CANARY_RUNNING"


def test_invalid_state_states_that_no_status_accepts_the_command() -> None:
    assert (
        InvalidState("going back", "FAILED", []).detail == "going back is not possible in FAILED, only from no status"
    )


def test_no_active_upgrade_is_a_not_found() -> None:
    assert issubclass(NoActiveUpgrade, NotFound)
