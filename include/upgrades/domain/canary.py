"""How many canaries there are and what their monitor concludes (contract section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
