"""The relay (specification section 10): publishes the outbox to Kafka, at least once and in order per execution.

It has no state of its own: after a change of the leader the next relay begins at the first unpublished event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from upgrade_orchestrator.domain.events.metrics import LAG_ROWS, LAG_SECONDS, PARKED
from upgrade_orchestrator.service.ports.outbox import (
    EventStream,
    KafkaNotConfigured,
    KafkaUnavailable,
    OpenStream,
    Outbox,
    RelayState,
    Sent,
)
from upgrade_orchestrator.service.ports.signals import ANYTHING, Waiter
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)

WAVE = 1000
"Events that are sent together."
POLL_SECONDS = 5.0
"How often the outbox is read without a signal."
OFF_SECONDS = 15.0
"How often to check whether a connection is defined by now."
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 3.0
"The pause between attempts while Kafka does not respond; it doubles each time."


class Relay:
    """One relay; ``run`` and ``watch`` are control loops of the leading process."""

    def __init__(self, open_stream: OpenStream) -> None:
        self._open_stream = open_stream
        self._state, self._detail = RelayState.WAITING, "starting"
        self._pause = FIRST_PAUSE_SECONDS
        self._suspects: set[str] = set()

    async def run(self, ports: Ports) -> None:
        """Publish events until cancelled.

        :raises Unavailable: the product's database does not respond.
        """
        async with ports.signals.of(ANYTHING) as waiter:
            while True:
                try:
                    await self._with_stream(ports.outbox, waiter)
                except KafkaNotConfigured as error:
                    self._set_state(RelayState.OFF, str(error))
                    await asyncio.sleep(OFF_SECONDS)
                except KafkaUnavailable as error:
                    self._set_state(RelayState.WAITING, str(error))
                    await asyncio.sleep(self._pause)
                    self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    async def watch(self, ports: Ports) -> None:
        """Store the relay's state and send its metrics.

        :raises Unavailable: the product's database does not respond.
        """
        await ports.outbox.save_state(self._state, self._detail)
        lag = await ports.outbox.lag()
        for figure in (LAG_ROWS.of(lag.rows), LAG_SECONDS.of(lag.seconds), PARKED.of(lag.parked)):
            ports.metrics.show(figure)

    async def _with_stream(self, outbox: Outbox, waiter: Waiter) -> None:
        stream = await self._open_stream()
        try:
            self._set_state(RelayState.RUNNING, "")
            while not await self._round(outbox, stream, waiter):
                pass
        finally:
            await stream.close()

    async def _round(self, outbox: Outbox, stream: EventStream, waiter: Waiter) -> bool:
        """Publish one wave; True when the stream is broken and has to be opened again."""
        pending = await outbox.pending(WAVE)
        wave = next_wave(pending, self._suspects)
        if wave:
            sent = await stream.send(wave)
            await self._settle(outbox, sent, alone=len(wave) == 1)
            if sent.trouble:
                raise KafkaUnavailable(sent.trouble)
            if sent.broken:
                return True
        if len(wave) == len(pending) < WAVE:
            await waiter.wait(POLL_SECONDS)
        return False

    async def _settle(self, outbox: Outbox, sent: Sent, alone: bool) -> None:
        """Store the results of a wave; after a crash before this its events are published again."""
        if sent.delivered:
            await outbox.mark_published(sent.delivered)
            self._suspects.difference_update(each.id for each in sent.delivered)
            self._pause = FIRST_PAUSE_SECONDS
        for each in sent.refused:
            if each.certain or alone:
                log.warning("event %s is parked: %s", each.event.id, each.reason)
                await outbox.park(each.event, each.reason)
                self._suspects.discard(each.event.id)
            else:
                self._suspects.add(each.event.id)

    def _set_state(self, state: RelayState, detail: str) -> None:
        if (state, detail) != (self._state, self._detail):
            level = logging.WARNING if state is RelayState.WAITING else logging.INFO
            log.log(level, "the relay of events is %s%s", state.value, f": {detail}" if detail else "")
        self._state, self._detail = state, detail


def next_wave(pending: Sequence[StoredEvent], suspects: Collection[str]) -> Sequence[StoredEvent]:
    """The events before the first suspect, or the suspect alone, so that a rejection can only be caused by it."""
    for index, each in enumerate(pending):
        if each.id in suspects:
            return pending[: max(index, 1)]
    return pending
