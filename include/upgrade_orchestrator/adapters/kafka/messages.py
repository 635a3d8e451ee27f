"""An event as a Kafka message: a structured CloudEvent, keyed by tenant (specification section 10)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

_FORMAT = JSONFormat()


def message_of(stored: StoredEvent) -> KafkaMessage:
    """Build the message; the CloudEvents library checks the attributes.

    :raises BaseCloudEventException: the event is not a valid CloudEvent.
    :raises TypeError: its data is not JSON.
    """
    attributes: dict[str, Any] = dict(cloud_event(stored))
    data = attributes.pop("data")
    event = CloudEvent(attributes | {"time": stored.time.astimezone(UTC)}, data)
    return to_structured(event, _FORMAT, lambda _: stored.tenant_id)
