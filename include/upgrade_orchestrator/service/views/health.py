"""Whether what the service needs answers (contract section 1, GET /health)."""

from __future__ import annotations

from dataclasses import dataclass

from upgrade_orchestrator.service.ports.outbox import Lag, Note, ParkedEvent, RelayState
from upgrade_orchestrator.service.ports.unit_of_work import Ports

SILENT_SECONDS = 30.0
"A relay that has noted nothing for so long is not there: it notes every 5 s."
NAMED = 10
"Parked events that are named; all of them are counted."
_NOBODY = "no process runs the relay"


@dataclass(frozen=True, slots=True)
class RelayHealth:
    """How the relay stands, how far behind it is, and the first parked events."""

    state: RelayState
    detail: str
    lag: Lag
    parked: list[ParkedEvent]

    @property
    def is_well(self) -> bool:
        """Whether it answers: one that has nowhere to publish to does what it should."""
        return self.state in (RelayState.RUNNING, RelayState.OFF)


async def check_database(ports: Ports) -> None:
    """One statement through the unit of work.

    :raises Unavailable: when the database does not answer.
    """
    async with ports.work() as work:
        await work.now()


async def relay_health(ports: Ports) -> RelayHealth:
    """By what the leader noted, whichever process is asked.

    :raises Unavailable: when the database does not answer.
    """
    state, detail = standing(await ports.outbox.noted())
    lag = await ports.outbox.lag()
    return RelayHealth(state, detail, lag, await ports.outbox.parked(None, NAMED) if lag.parked else [])


def standing(note: Note | None) -> tuple[RelayState, str]:
    """What a note tells now: an old one is of a process that is gone."""
    if note is None or note.age_seconds > SILENT_SECONDS:
        return RelayState.DOWN, _NOBODY
    return note.state, note.detail
