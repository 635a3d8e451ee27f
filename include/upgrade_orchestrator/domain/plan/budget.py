"""How many instances may be unavailable at once, whoever made them so (contract section 4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


def budget_of(total_instances: int, max_unavailable_percentage: int) -> int:
    """Instances that may be unavailable at once: floor of the percentage, never below 1."""
    return max(1, total_instances * max_unavailable_percentage // 100)


@dataclass(frozen=True, slots=True)
class Room:
    """What may be worked on now: ``limit`` instances at once, of them ``budget`` unavailable (None: no budget)."""

    limit: int
    budget: int | None


def startable(
    candidates: Sequence[str], room: Room, in_flight: Collection[str], unavailable: Collection[str]
) -> list[str]:
    """The candidates that may be started now, in their order.

    One that is unavailable already costs nothing: working on it makes nothing worse, and it is all that may be
    worked on while the fleet is below its budget.
    """
    free = room.limit - len(in_flight)
    left = len(candidates) if room.budget is None else room.budget - len(unavailable)
    chosen: list[str] = []
    for candidate in candidates:
        if len(chosen) >= free:
            break
        costs = 0 if candidate in unavailable else 1
        if costs == 0 or left >= costs:
            chosen.append(candidate)
            left -= costs
    return chosen
