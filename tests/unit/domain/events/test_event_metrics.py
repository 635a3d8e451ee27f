"""The metric values of an event, and the name of a value for metric systems without tags."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from upgrade_orchestrator.domain.events.event_metrics import MEASURED, RecordedEvent, metric_values
from upgrade_orchestrator.domain.events.metrics import METRICS, Kind
from upgrade_orchestrator.domain.execution.events import EventType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
E = EventType


def _figures(what: EventType, began: float | None = None, **data: Any) -> dict[str, float]:
    began_at = None if began is None else NOW - timedelta(seconds=began)
    recorded = RecordedEvent("e-1", 1, what, data, NOW, "ROLLING", began_at)
    return {each.full_name.removeprefix("upgrades."): each.value for each in metric_values(recorded)}


@pytest.mark.parametrize(
    ("what", "data", "found"),
    [
        (E.STATUS_CHANGED, {"to": "VALIDATING"}, {"execution.started.ROLLING": 1}),
        (E.STATUS_CHANGED, {"to": "IN_PROGRESS"}, {}),
        (
            E.STATUS_CHANGED,
            {"to": "FAILED"},
            {"execution.ended.FAILED.ROLLING": 1, "execution.duration.FAILED.ROLLING": 2500},
        ),
        (E.CHECK_COMPLETED, {"name": "DEPENDENCY_CHECK", "status": "FAILED"}, {"check.failed.DEPENDENCY_CHECK": 1}),
        (E.CHECK_COMPLETED, {"name": "DEPENDENCY_CHECK", "status": "PASSED"}, {}),
        (E.BATCH_COMPLETED, {"kind": "CANARY"}, {"batch.duration.CANARY.ROLLING": 2500}),
        (
            E.INSTANCE_CHANGED,
            {"from": "HEALTH_CHECKING", "to": "COMPLETED"},
            {"instance.duration.COMPLETED.ROLLING": 2500},
        ),
        (
            E.INSTANCE_CHANGED,
            {"from": "UPGRADING", "to": "FAILED"},
            {"instance.failed.ROLLING": 1, "instance.duration.FAILED.ROLLING": 2500},
        ),
        (E.INSTANCE_CHANGED, {"from": "PENDING", "to": "DRAINING"}, {}),
        (E.INSTANCE_CHANGED, {"from": "FAILED", "to": "FAILED", "revert": "DRAINING"}, {}),
        (E.ROLLBACK_STARTED, {}, {"rollback.started.ROLLING": 1}),
        (E.APPROVAL_DECIDED, {"decision": "APPROVED"}, {"approval.duration.APPROVED": 2500}),
    ],
)
def test_event_gives_its_metrics(what: EventType, data: dict[str, str], found: dict[str, float]) -> None:
    assert _figures(what, 2.5, **data) == found


def test_work_that_never_began_has_no_duration() -> None:
    assert _figures(E.STATUS_CHANGED, None, to="CANCELLED") == {"execution.ended.CANCELLED.ROLLING": 1}


def test_clock_that_went_back_makes_no_negative_duration() -> None:
    assert _figures(E.BATCH_COMPLETED, -5, kind="BATCH") == {"batch.duration.BATCH.ROLLING": 0}


@pytest.mark.parametrize("what", sorted(set(E) - MEASURED))
def test_other_events_give_no_metric(what: EventType) -> None:
    assert _figures(what, 1) == {}


def test_metric_name_is_not_a_prefix_of_another_full_name() -> None:
    """Without tags the tags' values are appended to the name; names must stay distinct."""
    names = [each.name for each in METRICS]
    assert not [(a, b) for a in names for b in names if a != b and b.startswith(f"{a}.")]


def test_timers_are_in_milliseconds_and_every_figure_needs_all_tags() -> None:
    assert {each.unit for each in METRICS if each.kind is Kind.TIMER} == {"ms"}
    with pytest.raises(ValueError, match="shorter"):
        METRICS[0].of(1)
