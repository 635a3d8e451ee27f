"""The rows of a batch as its loop works on them, and what its decision reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.instance.presence import absent
from upgrade_orchestrator.domain.plan.batch import Batch, BatchRules, BatchView, Direction

Rows = dict[str, Instance]


@dataclass(frozen=True, slots=True)
class BatchState:
    """The rows as last read or written; ``now`` is the time of that by the database's clock.

    ``rows`` are those of the instances, ``jobs`` those that the loop works on: the same rows, or those of the rollback.
    """

    execution: Execution
    batch: Batch
    rows: Rows
    jobs: Rows
    now: datetime

    def present(self) -> list[str]:
        """The ids of the plan's instances that are not gone."""
        return [name for name, each in self.rows.items() if not each.gone]


def view_of(
    state: BatchState, rules: BatchRules, jobs: Sequence[Instance], direction: Direction, fleet: Fleet | None
) -> BatchView:
    """What the decision about the batch reads, with the fleet as just observed (None: it was not)."""
    return BatchView(
        status=state.execution.status,
        batch=state.batch,
        is_last=rules.is_last,
        instances=jobs,
        limits=rules.limits,
        unavailable=fleet.unavailable(state.present()) if fleet else frozenset(),
        timeout=rules.timeouts.step,
        direction=direction,
        absent=absent(state.rows.values(), fleet) if fleet else frozenset(),
    )
