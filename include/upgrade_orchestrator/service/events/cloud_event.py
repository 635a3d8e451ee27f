"""A stored event as a CloudEvent, for the API and Kafka (specification section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from typing_extensions import TypedDict  # its schema is made by pydantic, which needs this one before Python 3.12

from upgrade_orchestrator.service.ports.stores.events import StoredEvent


class CloudEventDocument(TypedDict):
    """CloudEvents 1.0, structured JSON; the same in Kafka, on the JSON page and in the live stream."""

    specversion: str
    "The version of CloudEvents."
    id: str
    "UUIDv7; events with the same id are the same event, delivered again."
    source: str
    "The path of the execution."
    type: str
    "The event type, with the version of its data."
    time: str
    "When the event was written, by the database's clock, in UTC."
    subject: str
    "The execution's id."
    sequence: int
    "1, 2, 3 … per execution, without a gap."
    datacontenttype: str
    "The media type of data."
    data: Mapping[str, object]
    "The fields of the event type."


def cloud_event(stored: StoredEvent) -> CloudEventDocument:
    """The CloudEvent of ``stored``."""
    return {
        "specversion": "1.0",
        "id": stored.id,
        "source": f"/registry/upgrades/{stored.execution_id}",
        "type": stored.what.cloud_type,
        "time": stored.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": stored.execution_id,
        "sequence": stored.sequence,
        "datacontenttype": "application/json",
        "data": dict(stored.data),
    }
