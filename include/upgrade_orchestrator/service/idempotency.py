"""A write under an Idempotency-Key is carried out once; whoever repeats it gets the first answer (contract section 1).

See docs/adr/0014: the key, what the call writes and its answer are one transaction, so no crash can come in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from upgrade_orchestrator.service.ports.idempotency import IdempotencyStore, Key, KeyedCall, StoredResponse
from upgrade_orchestrator.service.ports.unit_of_work import Ports


@dataclass(frozen=True, slots=True)
class Once:
    """A call that is being carried out, or the answer to the one that was."""

    ports: Ports
    """What the call is to use: all its units of work are parts of one transaction."""
    first: StoredResponse | None
    _call: KeyedCall
    _parses: _Later

    async def keep(self, answer: StoredResponse) -> None:
        """Commit all that the call wrote, with its answer."""
        await self._call.keep(answer)
        for execution_id in self._parses.asked:
            await self._parses.ports.parse_requests.ask(execution_id)


@dataclass(frozen=True, slots=True)
class _Later:
    """Airflow must not look for what is not committed yet."""

    ports: Ports
    asked: list[str] = field(default_factory=list)

    async def ask(self, execution_id: str) -> None:
        self.asked.append(execution_id)


@asynccontextmanager
async def once(ports: Ports, idempotency_store: IdempotencyStore, key: Key) -> AsyncIterator[Once]:
    """Within it the key is ours alone; leaving without ``keep`` leaves everything as it was, the key too.

    :raises IdempotencyConflict: the key was used for another request;
    :raises Unavailable: the first call with this key takes too long, or the database is away.
    """
    async with idempotency_store.call(key) as call:
        parses = _Later(ports)
        joined = replace(ports, work=call.work, parse_requests=parses)
        yield Once(joined, call.first, call, parses)
