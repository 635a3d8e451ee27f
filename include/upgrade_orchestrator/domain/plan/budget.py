"""How many instances may be unavailable at once, for any reason (specification section 4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


def budget_of(total_instances: int, max_unavailable_percentage: int) -> int:
    """The number of instances that may be unavailable at once: the percentage rounded down, at least 1."""
    return max(1, total_instances * max_unavailable_percentage // 100)


def concurrency(instances: int, batch_size: int, budget: int | None) -> int:
    """How many of a batch's instances may be in flight at once; without a budget all of them."""
    return max(1, instances if budget is None else min(batch_size, budget))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a batch: ``in_flight`` instances in flight and ``budget`` unavailable at once (None: no budget)."""

    in_flight: int
    budget: int | None


def startable(
    candidates: Sequence[str], limits: Limits, in_flight: Collection[str], unavailable: Collection[str]
) -> list[str]:
    """The candidates that may be started now, in their order.

    A candidate that is unavailable already costs no budget: working on it makes no further instance unavailable. While
    the budget is used up, only such candidates are started.
    """
    free = limits.in_flight - len(in_flight)
    left = len(candidates) if limits.budget is None else limits.budget - len(unavailable)
    chosen: list[str] = []
    for candidate in candidates:
        if len(chosen) >= free:
            break
        costs = 0 if candidate in unavailable else 1
        if costs == 0 or left >= costs:
            chosen.append(candidate)
            left -= costs
    return chosen
