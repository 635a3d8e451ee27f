"""The idempotency store: keys and the responses to their first calls (specification section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

RETENTION_HOURS = 24


@dataclass(frozen=True, slots=True)
class Key:
    """The Idempotency-Key of a user; ``fingerprint`` identifies the request that it was used for."""

    actor: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: str


class KeyedCall(Protocol):
    """One transaction for all writes of a call."""

    @property
    def first(self) -> StoredResponse | None:
        """The response to the first call with this key; None when this is the first."""

    def work(self) -> UnitOfWork:
        """A unit of work within the transaction: its commits take effect with ``keep``."""

    async def keep(self, response: StoredResponse) -> None:
        """Commit the transaction together with the response."""


class IdempotencyStore(Protocol):
    """The keys of the last ``RETENTION_HOURS`` and their responses."""

    def call(self, key: Key) -> AbstractAsyncContextManager[KeyedCall]:
        """Take the key; waits while another call has it.

        :raises IdempotencyConflict: it was used for another request.
        :raises Unavailable: the wait took too long.
        """

    async def forget_old(self) -> None:
        """Delete the keys that are older than ``RETENTION_HOURS``."""
