"""A stored event as the CloudEvent that is shown and published (contract section 10)."""

from __future__ import annotations

from datetime import UTC

from include.upgrades.service.ports import StoredEvent


def cloud_event(stored: StoredEvent) -> dict[str, object]:
    """CloudEvents 1.0, structured JSON; ``sequence`` is 1, 2, 3 … without gaps per execution."""
    return {
        "specversion": "1.0",
        "id": stored.id,
        "source": f"/registry/upgrades/{stored.execution_id}",
        "type": stored.event.what.cloud_type,
        "time": stored.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": stored.execution_id,
        "sequence": stored.sequence,
        "datacontenttype": "application/json",
        "data": dict(stored.event.data),
    }
