"""How many canaries there are, what their monitor concludes, and when they may be promoted (contract section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.instance.fleet import Health

CANARY_BATCH = 1
"The canaries are the plan's first batch."


def canary_count(total_instances: int, canary_percentage: int) -> int:
    """Canary instances: floor of the percentage, never below 1; 10 % of 20 is 2."""
    return max(1, total_instances * canary_percentage // 100)


@dataclass(frozen=True, slots=True)
class Canary:
    """What is known of the canaries: the last verdict, the polls made (times in UTC), and who promoted them."""

    healthy: bool | None = None
    polls: int = 0
    last_poll_at: datetime | None = None
    promoted_by: str | None = None
    promoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """One look at all canaries: what is wrong with each that is ill, and which could not be asked."""

    ill: Mapping[str, str]
    silent: tuple[str, ...]

    @property
    def healthy(self) -> bool | None:
        """False when one is ill, True when all are well; None when not all could be asked, which is no verdict."""
        if self.ill:
            return False
        return None if self.silent else True

    def describe(self) -> str:
        """What speaks against the canaries, one after the other."""
        named = [f"{name}: {why}" for name, why in self.ill.items()]
        return "; ".join([*named, *(f"{name}: could not be asked" for name in self.silent)])


def poll_of(answers: Mapping[str, Health | None], to_version: str) -> Poll:
    """What the health endpoints said; a canary is well when it is healthy at ``to_version``."""
    ill = {
        name: said.detail or f"reports version {said.version}, healthy: {said.healthy}"
        for name, said in answers.items()
        if said is not None and not (said.healthy and said.version == to_version)
    }
    return Poll(ill, tuple(name for name, said in answers.items() if said is None))
