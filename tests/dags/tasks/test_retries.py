"""A task that fails is tried again, and Airflow keeps the error with it, without what may be confidential."""

import pytest
from sqlalchemy.exc import OperationalError

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.flow.retries import MOST_REASON, TRY_AGAIN, NamedRetries, reason_of


def test_error_of_a_try_is_kept_and_the_delay_is_that_of_the_task() -> None:
    decision = TRY_AGAIN["retry_policy"].evaluate(KeyError("x"), 1, 200)
    assert (decision.action.value, decision.reason, decision.retry_delay) == ("retry", "KeyError: 'x'", None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("the database does not answer"), "Unavailable: the database does not answer"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError(""), "ValueError"),
        (OperationalError("SELECT secret", {}, Exception("user@10.0.0.1")), "OperationalError"),
    ],
)
def test_reason_is_one_line_and_of_other_libraries_only_the_name(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_reason_is_bounded() -> None:
    assert len(reason_of(ValueError("x" * 9000))) == MOST_REASON


def test_policy_can_be_serialized_with_its_dag() -> None:
    assert NamedRetries().serialize() == {}
