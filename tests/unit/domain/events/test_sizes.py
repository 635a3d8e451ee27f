"""An event of any type is small enough for a broker with its default limit, whatever the size of the fleet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from upgrade_orchestrator.domain.events.factory import MOST_LISTED, data_of
from upgrade_orchestrator.domain.events.listing_payloads import BatchStarted, CanaryPolled, RollbackCompleted
from upgrade_orchestrator.domain.events.payloads import EVENT_CLASSES
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

MOST_BYTES = 900_000
"A broker's default is 1,048,588 for a whole batch of messages."
IDS = [f"{number:05d}{chr(0x1F600) * 250}" for number in range(10_000)]  # JSON escapes such a character with 12 bytes
LONG = chr(0x1F600) * 100_000


def largest(of: Any) -> Any:
    """The largest value of that type."""
    kinds = [each for each in (of, *get_args(of)) if isinstance(each, type)]
    if get_origin(of) is Sequence:
        return IDS
    if get_origin(of) is Mapping:
        return dict.fromkeys(IDS, LONG)
    if enums := [each for each in kinds if issubclass(each, Enum)]:
        return max(enums[0], key=lambda each: len(str(each.value)))
    return LONG if str in kinds else True if bool in kinds else 2**63


def largest_event(payload: type[Event]) -> Event:
    hints = get_type_hints(payload)
    return payload(**{each.name: largest(hints[each.name]) for each in fields(payload)})


# fault 50
@pytest.mark.parametrize("payload", EVENT_CLASSES, ids=lambda payload: payload.what.value)
def test_largest_event_of_a_type_is_accepted_by_a_broker(payload: type[Event]) -> None:
    data = data_of(largest_event(payload))
    stored = StoredEvent("e" * 64, "x" * 64, "t" * 64, 2**63, datetime.now(UTC), payload.what, data)
    assert len(json.dumps(cloud_event(stored))) < MOST_BYTES


def test_lists_of_an_event_are_cut_and_their_counts_are_not() -> None:
    batch = data_of(BatchStarted(batch=1, kind="ALL", instances=IDS, completed=0, failed=0))
    assert (batch["instances"], batch["instanceCount"]) == (IDS[:MOST_LISTED], 10_000)
    back = data_of(RollbackCompleted(status=ExecutionStatus.FAILED, reason="", rolled_back_instances=tuple(IDS)))
    assert (back["rolledBackInstances"], back["rolledBackCount"]) == (IDS[:MOST_LISTED], 10_000)
    ill = dict.fromkeys(IDS[:101], "down")
    polled = data_of(CanaryPolled(healthy=False, unhealthy=ill, not_asked=IDS[101:], polls=1, current_failures=1))
    assert (polled["unhealthy"], polled["unhealthyCount"]) == (dict.fromkeys(IDS[:100], "down"), 101)
    assert (polled["notAsked"], polled["notAskedCount"]) == (IDS[101:201], 9_899)


def test_lists_of_an_event_up_to_the_limit_are_whole() -> None:
    batch = data_of(BatchStarted(batch=1, kind="ALL", instances=IDS[:MOST_LISTED], completed=0, failed=0))
    assert (batch["instances"], batch["instanceCount"]) == (IDS[:MOST_LISTED], MOST_LISTED)
