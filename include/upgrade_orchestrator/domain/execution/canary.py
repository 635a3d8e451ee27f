"""The number of canaries, the result of a poll and the state of their monitor (specification section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.instance.names import named


def canary_count(total_instances: int, canary_percentage: int) -> int:
    """Number of canary instances: the percentage rounded down, at least 1; 10 % of 20 is 2."""
    return max(1, total_instances * canary_percentage // 100)


@dataclass(frozen=True, slots=True)
class Canary:
    """The state of the canaries: the result of the last poll, the polls made, who promoted them (times in UTC)."""

    healthy: bool | None = None
    polls: int = 0
    last_poll_at: datetime | None = None
    promoted_by: str | None = None
    promoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll of all canaries: the problems of the unhealthy ones, and those that did not respond."""

    unhealthy: Mapping[str, str]
    unreachable: tuple[str, ...]

    @property
    def healthy(self) -> bool | None:
        """False when one is unhealthy, True when all are healthy; None, no result, when some did not respond."""
        if self.unhealthy:
            return False
        return None if self.unreachable else True

    def describe(self) -> str:
        """The problems of the canaries, in words."""
        ill = [f"{name}: {why}" for name, why in self.unhealthy.items()]
        return named([*ill, *(f"{name}: could not be reached" for name in self.unreachable)], "; ")


def poll_of(responses: Mapping[str, Health | None], to_version: str) -> Poll:
    """The poll with these responses of the health endpoints; a canary must be healthy at ``to_version``."""
    unhealthy = {
        name: said.described()
        for name, said in responses.items()
        if said is not None and not (said.healthy and said.version == to_version)
    }
    return Poll(unhealthy, tuple(name for name, said in responses.items() if said is None))
