"""What the frozen plan says about one batch (contract section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from upgrade_orchestrator.domain.instance.instance import ROLLBACK_BATCH
from upgrade_orchestrator.domain.instance.step import Patience
from upgrade_orchestrator.domain.plan.budget import Room
from upgrade_orchestrator.domain.plan.plan import BatchKind, Plan, concurrency, room_for_rollback


@dataclass(frozen=True, slots=True)
class Rules:
    """What the frozen plan says about this batch; ``poll_seconds`` is the longest gap between health polls."""

    room: Room
    is_last: bool
    patience: Patience
    poll_seconds: float

    @classmethod
    def of(cls, plan: Plan, number: int, poll_seconds: float) -> Self:
        """The rules of batch ``number``; a rollback is its own last batch and does not soak."""
        step = float(plan.health_check_timeout_seconds)
        if number == ROLLBACK_BATCH:
            return cls(room_for_rollback(plan), True, Patience(step, 0.0), poll_seconds)
        planned = plan.batches[number - 1]
        room = Room(concurrency(planned, plan.batch_size, plan.budget), plan.budget)
        # a green pool soaks as a whole, once it has the traffic
        soak = 0.0 if planned.kind is BatchKind.GREEN else float(plan.soak_seconds)
        return cls(room, number == len(plan.batches), Patience(step, soak), poll_seconds)
