"""Where the answers to calls with an Idempotency-Key are kept (contract section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

KEPT_HOURS = 24


@dataclass(frozen=True, slots=True)
class Key:
    """The key that an actor gave; ``fingerprint`` tells one request from another."""

    actor: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: str


class KeyedCall(Protocol):
    """One transaction for all that a call writes."""

    @property
    def first(self) -> StoredResponse | None:
        """The answer that was given before."""

    def work(self) -> UnitOfWork:
        """A unit of work within the transaction: what it commits counts once the call is kept."""

    async def keep(self, answer: StoredResponse) -> None:
        """Commit, with the answer."""


class IdempotencyStore(Protocol):
    """The book of keys and answers."""

    def call(self, key: Key) -> AbstractAsyncContextManager[KeyedCall]:
        """Take the key; while another call has it, wait.

        :raises IdempotencyConflict: it was used for another request; :raises Unavailable: waited too long.
        """

    async def forget_old(self) -> None:
        """Delete what is older than ``KEPT_HOURS``."""
