"""Which of the events that wait are sent together."""

from datetime import UTC, datetime

import pytest

from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.events.relay import next_wave
from upgrade_orchestrator.service.ports.outbox import RelayState, StoredRelayState
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.views.health import RELAY_DOWN_AFTER_SECONDS, relay_state

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def _events(names: str) -> list[StoredEvent]:
    what = EventType.PROGRESS
    return [StoredEvent(name, "e-1", "t-1", place, NOW, what, {}) for place, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    ("pending", "suspects", "sent"),
    [
        ("", "", ""),
        ("", "x", ""),
        ("abc", "", "abc"),
        ("abc", "x", "abc"),
        ("abc", "b", "a"),  # those before it first
        ("bc", "b", "b"),  # then it alone
        ("bc", "bc", "b"),
        ("abc", "c", "ab"),
    ],
)
def test_suspect_event_is_sent_alone_after_the_events_before_it(pending: str, suspects: str, sent: str) -> None:
    assert "".join(each.id for each in next_wave(_events(pending), set(suspects))) == sent


def test_outdated_relay_state_means_that_no_process_runs_the_relay() -> None:
    assert relay_state(None)[0] is RelayState.DOWN
    assert relay_state(StoredRelayState(RelayState.RUNNING, "", RELAY_DOWN_AFTER_SECONDS + 1))[0] is RelayState.DOWN


@pytest.mark.parametrize("state", [RelayState.RUNNING, RelayState.WAITING, RelayState.OFF])
def test_recent_relay_state_is_returned_unchanged(state: RelayState) -> None:
    assert relay_state(StoredRelayState(state, "why", RELAY_DOWN_AFTER_SECONDS - 1)) == (state, "why")
