"""An event as a Kafka message; what is not a valid CloudEvent is refused before it is sent."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import from_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat

from upgrade_orchestrator.adapters.kafka.messages import message_of
from upgrade_orchestrator.adapters.kafka.reports import Reports
from upgrade_orchestrator.adapters.kafka.stream import KafkaStream
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

STORED = StoredEvent(
    id="01890000-0000-7000-8000-000000000000",
    execution_id="e-1",
    tenant_id="t-1",
    sequence=7,
    time=datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC),
    what=EventType.CREATED,
    data={"a": {"b": [1, None, "ü"]}},
)


def test_message_is_a_cloud_event_keyed_by_tenant() -> None:
    message = message_of(STORED)
    assert (message.key, message.headers) == ("t-1", {"content-type": b"application/cloudevents+json"})
    event = from_structured(replace(message, key=None), JSONFormat())
    assert (event.get_id(), event.get_time(), event.get_subject()) == (STORED.id, STORED.time, "e-1")
    assert (event.get_extension("sequence"), event.get_data()) == (7, {"a": {"b": [1, None, "ü"]}})


def test_event_without_an_id_is_no_cloud_event() -> None:
    with pytest.raises(BaseCloudEventException):
        message_of(replace(STORED, id=""))


@pytest.mark.parametrize("bad", [replace(STORED, id=""), replace(STORED, data={"a": object()})])
def test_event_that_cannot_be_serialized_is_refused_permanently_and_ends_the_wave(bad: StoredEvent) -> None:
    stream, reports = KafkaStream("topic"), Reports()
    stream._producer = object()  # Kafka is not involved
    assert not stream._produce(bad, reports)
    (refused,) = reports.sent.refused
    assert (refused.event, refused.certain, reports.sent.broken) == (bad, True, False)
    assert refused.reason.startswith("it is not a valid CloudEvent")
