"""The timeline of an execution: what happened, who did it and why, one line for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.instance.fleet import UNKNOWN
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.web.view.icons import icon
from upgrade_orchestrator.web.view.words import StatusStyle, style_of

Data = Mapping[str, Any]

_ACTORS = ("actor", "decidedBy", "createdBy", "initiatedBy", "settledBy")
"The fields that say who did it; an event has one of them at the most."


class Line(NamedTuple):
    """A line of the timeline."""

    sequence: int
    time: datetime
    style: StatusStyle
    text: str
    actor: str | None
    source: str | None
    reason: str | None


def line_of(stored: StoredEvent) -> Line:
    """The line for an event."""
    data = stored.data
    shown, text = _TEXTS[stored.what](data)
    actor = next((data[each] for each in _ACTORS if data.get(each)), None)
    return Line(
        stored.sequence, stored.time, shown, text, _text(actor), _text(data.get("source")), _text(data.get("reason"))
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _status(data: Data) -> tuple[StatusStyle, str]:
    to = style_of(_text(data.get("to")))
    return to, f"{style_of(_text(data.get('from'))).words} → {to.words}"


def _command(data: Data) -> tuple[StatusStyle, str]:
    return StatusStyle("Command", "idle", icon("chevron")), f"Command {data.get('command')}"


def _decided(data: Data) -> tuple[StatusStyle, str]:
    yes = data.get("decision") == "APPROVED"
    decision, tone, sign = ("approved", "good", "check") if yes else ("rejected", "bad", "cross")
    return StatusStyle(decision, tone, icon(sign)), f"Stage {data.get('stage')} {decision}"


def _asked(data: Data) -> tuple[StatusStyle, str]:
    return StatusStyle("Asked", "warn", icon("person")), f"Stage {data.get('stage')} waits for an approval"


def _settled(data: Data) -> tuple[StatusStyle, str]:
    versions: Mapping[str, int] = data.get("versions") or {}
    count = named(f"{many} {each if each == UNKNOWN else f'on {each}'}" for each, many in versions.items())
    recorded = "" if data.get("fleetSeen") else " by the record, the fleet was not counted"
    return StatusStyle("Settled", "idle", icon("stop")), f"Settled: {count or 'no instance'}{recorded}"


_TEXTS: dict[EventType, Callable[[Data], tuple[StatusStyle, str]]] = {
    EventType.CREATED: lambda _: (StatusStyle("Created", "idle", icon("circle")), "Created"),
    EventType.STATUS_CHANGED: _status,
    EventType.COMMAND_RECEIVED: _command,
    EventType.APPROVAL_REQUESTED: _asked,
    EventType.APPROVAL_DECIDED: _decided,
    EventType.ROLLBACK_STARTED: lambda _: (StatusStyle("Rollback", "back", icon("undo")), "Rollback started"),
    EventType.ROLLBACK_COMPLETED: lambda _: (StatusStyle("Rollback", "back", icon("undone")), "Rollback completed"),
    EventType.SETTLED: _settled,
}
