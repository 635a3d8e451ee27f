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
def test_refusal_belongs_to_the_family_and_is_well_formed(refusal: type[UpgradeError]) -> None:
    assert issubclass(refusal, UpgradeError)
    assert refusal.code == refusal.code.upper()


def test_codes_are_distinct() -> None:
    assert len({refusal.code for refusal in FAMILY}) == len(FAMILY)


def test_active_upgrade_refusal_names_the_execution() -> None:
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


def test_state_refusal_says_from_where_it_would_be_taken() -> None:
    refusal = InvalidState("pause", "PAUSED", ["IN_PROGRESS", "CANARY_RUNNING"])
    assert refusal.detail == "pause is not possible in PAUSED, only from IN_PROGRESS, CANARY_RUNNING"


def test_state_refusal_says_when_there_is_no_such_status() -> None:
    assert (
        InvalidState("going back", "FAILED", []).detail == "going back is not possible in FAILED, only from no status"
    )


def test_no_active_upgrade_is_a_not_found() -> None:
    assert issubclass(NoActiveUpgrade, NotFound)
