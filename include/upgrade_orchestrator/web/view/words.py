"""The words, colours and signs of statuses on the pages; colour is never the only cue."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from markupsafe import Markup

from upgrade_orchestrator.domain.execution.attention import CAUSES
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.web.view.remedies import attention_remedy

S, N = ExecutionStatus, InstanceStatus


class StatusStyle(NamedTuple):
    """How a status is shown: its words, its tone (a CSS class) and its sign."""

    words: str
    tone: str
    sign: str


STATUS: dict[str, StatusStyle] = {
    S.PENDING: StatusStyle("Pending", "idle", "○"),
    S.VALIDATING: StatusStyle("Validating", "busy", "◔"),
    S.IN_PROGRESS: StatusStyle("In progress", "busy", "▶"),
    S.CANARY_RUNNING: StatusStyle("Canary running", "busy", "▷"),
    S.CANARY_MONITORING: StatusStyle("Canary monitoring", "watch", "◉"),
    S.PAUSED: StatusStyle("Paused", "warn", "❚❚"),
    S.ROLLING_BACK: StatusStyle("Rolling back", "back", "↺"),
    S.ROLLED_BACK: StatusStyle("Rolled back", "back", "↶"),
    S.COMPLETED: StatusStyle("Completed", "good", "✓"),
    S.FAILED: StatusStyle("Failed", "bad", "✕"),
    S.CANCELLED: StatusStyle("Cancelled", "idle", "⊘"),
}
INSTANCE: dict[str, StatusStyle] = {
    N.PENDING: StatusStyle("Pending", "idle", "○"),
    N.DRAINING: StatusStyle("Draining", "busy", "◔"),
    N.UPGRADING: StatusStyle("Upgrading", "busy", "◑"),
    N.HEALTH_CHECKING: StatusStyle("Health checking", "watch", "◉"),
    N.COMPLETED: StatusStyle("Completed", "good", "✓"),
    N.FAILED: StatusStyle("Failed", "bad", "✕"),
    N.ROLLED_BACK: StatusStyle("Rolled back", "back", "↶"),
}
CHECK: dict[str, StatusStyle] = {
    "PENDING": StatusStyle("Pending", "idle", "○"),
    "RUNNING": StatusStyle("Running", "busy", "◔"),
    "PASSED": StatusStyle("Passed", "good", "✓"),
    "WARNING": StatusStyle("Warning", "warn", "!"),
    "FAILED": StatusStyle("Failed", "bad", "✕"),
}
ATTENTION: Mapping[str, str] = CAUSES
"The code of an execution's ``attention`` in words."
_UNKNOWN = StatusStyle("Unknown", "idle", "?")


def moment(value: datetime | None) -> Markup | str:
    """A ``<time>`` element, whose text a script turns into "3 min ago"."""
    if value is None:
        return "–"
    utc = value.astimezone(UTC)
    stamp, text = utc.isoformat().replace("+00:00", "Z"), f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}">{}</time>').format(stamp, text)


def span(value: timedelta | float | None) -> str:
    """A duration in its two largest units: 45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if value is None:
        return "–"
    left, parts = max(0, int(value.total_seconds() if isinstance(value, timedelta) else value)), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        parts += [f"{number} {unit}"] if number else []
    return " ".join(parts[:2]) or "0 s"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 instance``, ``2 instances``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def style_of(value: str | None, kind: str = "status") -> StatusStyle:
    """The words, colour and symbol of ``value``; ``kind`` is status, instance or check."""
    return {"status": STATUS, "instance": INSTANCE, "check": CHECK}[kind].get(str(value), _UNKNOWN)


def attention_words(code: str) -> str:
    """What keeps an execution from going on, in words; the code itself if it has none."""
    return ATTENTION.get(code, code)


def data(value: Any) -> str:
    """JSON for a data attribute, where it is escaped like any text; not for a script element."""
    return json.dumps(value, separators=(",", ":"))


FILTERS: dict[str, Callable[..., Any]] = {"moment": moment, "span": span, "data": data, "named": named}
GLOBALS: dict[str, Any] = {
    "style_of": style_of,
    "plural": plural,
    "attention_words": attention_words,
    "attention_remedy": attention_remedy,
    "statuses": list(ExecutionStatus),
}
