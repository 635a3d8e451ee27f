"""Idempotent writes: a call that repeats an Idempotency-Key gets the first response (specification section 1).

The key is claimed first. The call's writes and its response are one transaction, so that no crash can separate them
(docs/adr/0014 and 0035).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from upgrade_orchestrator.service.ports.idempotency import IdempotencyStore, Key, KeyedCall, StoredResponse
from upgrade_orchestrator.service.ports.unit_of_work import Ports


@dataclass(frozen=True, slots=True)
class KeyedWrite:
    """A call with an Idempotency-Key: to be carried out, or with the response of its first attempt."""

    ports: Ports
    """The ports for the call: all that its units of work write is one transaction."""
    first: StoredResponse | None
    _call: KeyedCall
    _parses: _DeferredParses

    async def keep(self, response: StoredResponse) -> None:
        """Commit the call's writes together with its response."""
        await self._call.keep(response)
        for execution_id in self._parses.asked:
            await self._parses.ports.parse_requests.ask(execution_id)


@dataclass(frozen=True, slots=True)
class _DeferredParses:
    """Delays parse requests until the commit, so that Airflow does not look for uncommitted executions."""

    ports: Ports
    asked: list[str] = field(default_factory=list)

    async def ask(self, execution_id: str) -> None:
        self.asked.append(execution_id)


@asynccontextmanager
async def idempotent(ports: Ports, idempotency_store: IdempotencyStore, key: Key) -> AsyncIterator[KeyedWrite]:
    """Hold the key exclusively; leaving without ``keep`` rolls everything back, and frees the key.

    :raises IdempotencyConflict: the key was used for another request.
    :raises Unavailable: the first call with this key takes too long, or the database does not respond.
    """
    async with idempotency_store.call(key) as call:
        parses = _DeferredParses(ports)
        joined = replace(ports, work=call.work, parse_requests=parses)
        yield KeyedWrite(joined, call.first, call, parses)
