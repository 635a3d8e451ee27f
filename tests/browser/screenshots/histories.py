"""The history of an instance whose upgrade failed with an answer of several lines."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.browser.screenshots.details import ago
from upgrade_orchestrator.service.views.instance_history import EntryKind, HistoryEntry

PIP = """not healthy within 300 s: the unit is failed
ERROR: Could not find a version that satisfies the requirement kafka-client==3.7.0 (from versions: 3.5.2, 3.6.0)
ERROR: No matching distribution found for kafka-client==3.7.0
kafka.service: Main process exited, code=exited, status=203/EXEC"""
"The last lines of an installation, as an agent gives them."


def history() -> Mapping[str, Any]:
    """The values of an instance's page of history."""
    return {"entries": _entries()[::-1], "earlier": 12, "execution_id": "e-1", "instance_id": "kafka-08"}


def _entries() -> list[HistoryEntry]:
    order, health, state = EntryKind.ORDER, EntryKind.HEALTH, EntryKind.STATE
    lines: list[tuple[EntryKind, str, str | None, int | None]] = [
        (state, "PENDING → DRAINING", None, None),
        (order, "drain", "202 in 8 ms", 12),
        (state, "DRAINING → UPGRADING", None, None),
        (order, "version 3.7.0", "FLEET_BUSY: another installation holds the lock in 41 ms (4 times)", 12),
        (order, "version 3.7.0", "202 in 9 ms", 12),
        (health, "silent", "ConnectError: [Errno 111] Connection refused (9 times)", None),
        (health, "unhealthy", PIP.partition("\n")[2], None),
        (state, "HEALTH_CHECKING → FAILED", PIP, None),
    ]
    times = [ago(14) + timedelta(seconds=41 * n) for n in range(len(lines))]
    found = [
        HistoryEntry((n, 0), time, kind, what, detail, token=token)
        for n, (time, (kind, what, detail, token)) in enumerate(zip(times, lines, strict=True))
    ]
    decided = "IN_PROGRESS → FAILED"
    return [*found, HistoryEntry((99, 0), ago(4), EntryKind.DECISION, decided, "3 instances failed", actor="system")]
