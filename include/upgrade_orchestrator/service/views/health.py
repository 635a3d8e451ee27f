"""The health check of database and relay (specification section 1, GET /health)."""

from __future__ import annotations

from dataclasses import dataclass

from upgrade_orchestrator.service.ports.outbox import Lag, ParkedEvent, RelayState, StoredRelayState
from upgrade_orchestrator.service.ports.unit_of_work import Ports

RELAY_DOWN_AFTER_SECONDS = 30.0
"A relay whose last note is older is DOWN: it stores one every 5 s."
MAX_LISTED = 10
"How many parked events are listed; all of them are counted."
_NO_RELAY = "no process runs the relay"


@dataclass(frozen=True, slots=True)
class RelayHealth:
    """The relay's state, its lag, and the first parked events."""

    state: RelayState
    detail: str
    lag: Lag
    parked: list[ParkedEvent]

    @property
    def is_healthy(self) -> bool:
        """Whether the relay works; OFF is healthy too, because no Kafka connection is defined."""
        return self.state in (RelayState.RUNNING, RelayState.OFF)


async def check_database(ports: Ports) -> None:
    """Run one statement through the unit of work.

    :raises Unavailable: the database does not respond.
    """
    async with ports.work() as work:
        await work.now()


async def relay_health(ports: Ports) -> RelayHealth:
    """The relay's health by the note that it stored, the same in every process.

    :raises Unavailable: the database does not respond.
    """
    state, detail = relay_state(await ports.outbox.state())
    lag = await ports.outbox.lag()
    return RelayHealth(state, detail, lag, await ports.outbox.parked(None, MAX_LISTED) if lag.parked else [])


def relay_state(note: StoredRelayState | None) -> tuple[RelayState, str]:
    """The state that follows from a note; a missing or old one means DOWN."""
    if note is None or note.age_seconds > RELAY_DOWN_AFTER_SECONDS:
        return RelayState.DOWN, _NO_RELAY
    return note.state, note.detail
