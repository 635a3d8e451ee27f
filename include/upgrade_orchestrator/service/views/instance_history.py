"""Use case: the history of one instance of an execution, read from the event log (specification section 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.unit_of_work import Ports

Position = tuple[int, int]
"""The event's sequence and the entry's place in it, from 0 on."""


BEGINNING: Position = (0, -1)
"Before the first entry."


class EntryKind(StrEnum):
    """What an entry is about."""

    STATE = "STATE"
    "The instance went from one status to another."
    ORDER = "ORDER"
    "An order was sent to the fleet, which answered."
    HEALTH = "HEALTH"
    "Its health endpoint said something new, or the canary monitor found it unhealthy."
    DECISION = "DECISION"
    "The execution went from one status to another, by a command or by itself."


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to the instance. ``detail`` may have several lines; ``token`` is that of an order."""

    position: Position
    time: datetime
    kind: EntryKind
    what: str
    detail: str | None = None
    actor: str | None = None
    token: int | None = None


async def list_history(
    ports: Ports, execution_id: str, instance_id: str, after: Position, limit: int
) -> list[HistoryEntry]:
    """At most ``limit`` entries after that position, the oldest first.

    :raises NotFound: there is no such execution, or it has no such instance.
    """
    async with ports.work() as work:
        await work.executions.get(execution_id)
        found = await work.events.about(execution_id, instance_id, max(0, after[0] - 1), limit + 1)
        if not any(_is_own(each) for each in found):
            rows = await work.executions.instances(execution_id)
            if not any(each.instance_id == instance_id for each in rows):
                raise NotFound(f"execution {execution_id} has no instance {instance_id}")
    entries = (entry for each in found for entry in entries_of(each, instance_id))
    return [each for each in entries if each.position > after][:limit]


def _is_own(event: StoredEvent) -> bool:
    return event.what is EventType.INSTANCE_CHANGED


def entries_of(event: StoredEvent, instance_id: str) -> list[HistoryEntry]:
    """The entries of an event that ``Events.about`` returns, in the order in which they happened."""
    match event.what:
        case EventType.INSTANCE_CHANGED:
            found = [*_notes(event), *_states(event)]
        case EventType.CANARY_POLLED:
            found = [_polled(event, instance_id)]
        case _:
            found = [_decided(event)]
    return [_at(each, (event.sequence, number)) for number, each in enumerate(found)]


def _at(entry: HistoryEntry, position: Position) -> HistoryEntry:
    return HistoryEntry(position, entry.time, entry.kind, entry.what, entry.detail, entry.actor, entry.token)


def _entry(time: datetime, kind: EntryKind, what: str, **more: Any) -> HistoryEntry:
    return HistoryEntry((0, 0), time, kind, what, **more)


def _notes(event: StoredEvent) -> Iterator[HistoryEntry]:
    """Events that were written before orders were noted have none."""
    for each in cast(Sequence[Mapping[str, Any]], event.data.get("notes", ())):
        time = event.time - timedelta(seconds=each["ago"])
        yield _entry(time, EntryKind(each["kind"]), each["what"], detail=_answer(each), token=each["token"])


def _answer(note: Mapping[str, Any]) -> str:
    took = "" if note["milliseconds"] is None else f" in {note['milliseconds']} ms"
    times = f" ({note['times']} times)" if note["times"] > 1 else ""
    if "\n" in note["answer"]:
        return f"{note['answer']}\n{took.strip()}{times}".rstrip()
    return f"{note['answer']}{took}{times}"


def _states(event: StoredEvent) -> Iterator[HistoryEntry]:
    data = cast(Mapping[str, Any], event.data)
    if data.get("gone"):
        yield _entry(event.time, EntryKind.STATE, "gone", detail=data["error"])
    elif data["from"] != data["to"]:
        again = f", try {data['attempts']}" if data["attempts"] > 1 and data["to"] == "DRAINING" else ""
        yield _entry(event.time, EntryKind.STATE, f"{data['from']} → {data['to']}{again}", detail=_error(data))
    elif data["revert"] is not None:
        yield _entry(event.time, EntryKind.STATE, f"rollback: {data['revert']}", detail=data["error"])


def _error(data: Mapping[str, Any]) -> str | None:
    """What went wrong now; in its second try an instance also has the first one's error, which has its own entry."""
    is_new = data["to"] == "FAILED" or data["from"] == "COMPLETED"
    return cast("str | None", data["error"]) if is_new else None


def _polled(event: StoredEvent, instance_id: str) -> HistoryEntry:
    problem = cast(Mapping[str, str], event.data["unhealthy"])[instance_id]
    return _entry(event.time, EntryKind.HEALTH, "unhealthy as a canary", detail=problem)


def _decided(event: StoredEvent) -> HistoryEntry:
    data = cast(Mapping[str, Any], event.data)
    what = f"execution {data['from']} → {data['to']}"
    return _entry(event.time, EntryKind.DECISION, what, detail=data["reason"], actor=data["actor"])
