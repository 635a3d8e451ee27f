"""What happened to an instance between two changes of its status: orders with their answers, and its health."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

MOST_NOTES = 10
"How many notes are kept until the instance's next event: the first ones, and the newest."
MOST_CHARACTERS = 1_000
"How long an answer is in a note."


class NoteKind(StrEnum):
    """The kinds of notes."""

    ORDER = "ORDER"
    "An order to the fleet, with the fleet's answer."
    HEALTH = "HEALTH"
    "An answer of its health endpoint that said something new."


@dataclass(frozen=True, slots=True)
class Note:
    """One order with its answer, or one answer of the health endpoint."""

    kind: NoteKind
    "ORDER or HEALTH."
    what: str
    "The order (drain, undrain, or version with the version), or healthy, unhealthy or silent."
    answer: str
    "What the fleet answered: accepted, a status as 202, or a code and why; of a health endpoint its detail."
    token: int | None
    "The fencing token of the order."
    milliseconds: int | None
    "How long the answer to the order took."
    times: int
    "How often this happened in a row with the same answer."
    ago: float
    "How many seconds before this event it happened, the first time."

    def as_data(self) -> dict[str, object]:
        """Its fields, as an event has them."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(each.name for each in fields(Note))
