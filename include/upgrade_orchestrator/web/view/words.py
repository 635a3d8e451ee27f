"""The words, colours and signs of statuses on the pages; colour is never the only cue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from markupsafe import Markup

from upgrade_orchestrator.domain.execution.attention import CAUSES
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.web.view.icons import icon, sprite
from upgrade_orchestrator.web.view.remedies import attention_remedy

S, N = ExecutionStatus, InstanceStatus


class StatusStyle(NamedTuple):
    """How a status is shown: its words, its tone (a CSS class) and its sign, an icon."""

    words: str
    tone: str
    sign: str


STATUS: dict[str, StatusStyle] = {
    S.PENDING: StatusStyle("Pending", "idle", icon("circle")),
    S.VALIDATING: StatusStyle("Validating", "busy", icon("clock")),
    S.IN_PROGRESS: StatusStyle("In progress", "busy", icon("play")),
    S.CANARY_RUNNING: StatusStyle("Canary running", "busy", icon("play-outline")),
    S.CANARY_MONITORING: StatusStyle("Canary monitoring", "watch", icon("eye")),
    S.PAUSED: StatusStyle("Paused", "warn", icon("pause")),
    S.ROLLING_BACK: StatusStyle("Rolling back", "back", icon("undo")),
    S.ROLLED_BACK: StatusStyle("Rolled back", "bad", icon("undone")),
    S.COMPLETED: StatusStyle("Completed", "good", icon("check")),
    S.FAILED: StatusStyle("Failed", "bad", icon("cross")),
    S.CANCELLED: StatusStyle("Cancelled", "idle", icon("ban")),
}
INSTANCE: dict[str, StatusStyle] = {
    N.PENDING: StatusStyle("Pending", "idle", icon("circle")),
    N.DRAINING: StatusStyle("Draining", "busy", icon("down")),
    N.UPGRADING: StatusStyle("Upgrading", "busy", icon("up")),
    N.HEALTH_CHECKING: StatusStyle("Health checking", "watch", icon("pulse")),
    N.COMPLETED: StatusStyle("Completed", "good", icon("check")),
    N.FAILED: StatusStyle("Failed", "bad", icon("cross")),
    N.ROLLED_BACK: StatusStyle("Rolled back", "back", icon("undone")),
}
CHECK: dict[str, StatusStyle] = {
    "PENDING": StatusStyle("Pending", "idle", icon("circle")),
    "RUNNING": StatusStyle("Running", "busy", icon("clock")),
    "PASSED": StatusStyle("Passed", "good", icon("check")),
    "WARNING": StatusStyle("Warning", "warn", icon("alert")),
    "FAILED": StatusStyle("Failed", "bad", icon("cross")),
}
ATTENTION: Mapping[str, str] = CAUSES
"The code of an execution's ``attention`` in words."
NOT_REACHED = StatusStyle("Not reached", "idle", icon("minus"))
"What was pending when the upgrade ended."
NOT_RUN = StatusStyle("Not run", "idle", icon("minus"))
"A check that was pending or running when the upgrade ended."
_NAME = re.compile(rf"\b({'|'.join(sorted(INSTANCE | STATUS, key=len, reverse=True))})\b")
_UNKNOWN = StatusStyle("Unknown", "idle", icon("question"))


def moment(value: datetime | None) -> Markup | str:
    """A ``<time>`` element, whose text a script turns into "3 min ago"; without one it is the time in UTC."""
    if value is None:
        return "–"
    made = Markup('<time datetime="{}" title="{}">{} UTC</time>')
    return made.format(_exact(value), stamp(value), f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}")


def elapsed(since: datetime) -> Markup:
    """A ``<time>`` element, whose text a script turns into "for 3 min", up to now."""
    made = Markup('<time class="elapsed" datetime="{}" title="{}">since {} UTC</time>')
    return made.format(_exact(since), stamp(since), f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}")


def _exact(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def stamp(value: datetime) -> str:
    """The time in UTC to the second, as in RFC 3339."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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


def in_words(value: str) -> str:
    """A constant of the API in words: ``BLUE_GREEN`` is Blue-green."""
    return value.replace("_", "-").capitalize()


def sentence(text: str) -> str:
    """``text`` with a capital letter at its beginning; the others stay as they are, as in "Airflow's scheduler"."""
    return text[:1].upper() + text[1:]


def with_words(text: str) -> str:
    """``text`` with the names of statuses in words: "DRAINING → UPGRADING" is "Draining → Upgrading"."""
    return _NAME.sub(lambda found: (INSTANCE | STATUS)[found[0]].words, text)


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "elapsed": elapsed,
    "stamp": stamp,
    "span": span,
    "data": data,
    "named": named,
    "in_words": in_words,
    "sentence": sentence,
    "with_words": with_words,
}
GLOBALS: dict[str, Any] = {
    "style_of": style_of,
    "plural": plural,
    "attention_words": attention_words,
    "attention_remedy": attention_remedy,
    "statuses": list(ExecutionStatus),
    "icon": icon,
    "sprite": sprite(),
}
