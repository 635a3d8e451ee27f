"""What must be true of an execution, by its events and rows, whatever was done to it (specification sections 3 to
5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import MAY_START, TRANSITIONS, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, MAX_ATTEMPTS, Instance, InstanceStatus
from upgrade_orchestrator.domain.instance.instance import TRANSITIONS as STEPS
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

I = InstanceStatus  # noqa: E741 - a table of one-letter rows reads best
S = ExecutionStatus


class Ledger:
    """Follows one execution event by event and rejects what the specification does not allow."""

    def __init__(self, execution_id: str, by_pools: bool) -> None:
        self.execution_id, self.by_pools = execution_id, by_pools
        self.status = S.PENDING
        self.statuses: dict[str, I] = {}
        self.reverts: dict[str, I] = {}
        self.sequence = 0
        self.counts: Counter[EventType] = Counter()
        self.settled = False
        self.seen: object = None
        "The last state of the execution's row."

    def check(self, stored: StoredEvent) -> None:
        """Check the next event."""
        assert stored.sequence == self.sequence + 1, f"a gap after {self.sequence}"
        assert not self.settled or stored.what is EventType.COMMAND_RECEIVED, f"{stored.what} after the end"
        self.sequence = stored.sequence
        self.counts[stored.what] += 1
        match stored.what:
            case EventType.STATUS_CHANGED:
                self._change_status(stored.data)
            case EventType.INSTANCE_CHANGED:
                self._change_instance(stored.data)
            case EventType.ROLLBACK_STARTED | EventType.ROLLBACK_COMPLETED:
                assert self.counts[stored.what] == 1, "a second rollback"

    def _change_status(self, data: Any) -> None:
        before, after = S(data["from"]), S(data["to"])
        assert before is self.status, f"{data} after {self.status}"
        assert after in TRANSITIONS[before], f"{before} does not go to {after}"
        self.status = after

    def _change_instance(self, data: Any) -> None:
        name, before, after = data["instanceId"], I(data["from"]), I(data["to"])
        assert before is self.statuses.get(name, I.PENDING), f"{data} after {self.statuses}"
        assert before is after or after in STEPS[before], data
        assert data["attempts"] <= MAX_ATTEMPTS, data
        if after is not before:
            self._judge_step(before, after, data)
        self.statuses[name] = after
        self._change_revert(name, I(data["revert"] or I.PENDING), data)

    def _judge_step(self, before: I, after: I, data: Any) -> None:
        if after is I.DRAINING:
            assert self.status in MAY_START, f"begun although {self.status}: {data}"
        if (before, after) == (I.DRAINING, I.UPGRADING):
            assert self.status in MAY_START | {S.PAUSED}, f"sent on although {self.status}: {data}"

    def _change_revert(self, name: str, after: I, data: Any) -> None:
        before = self.reverts.get(name, I.PENDING)
        # the rollback of a whole pool is one step for all of its instances
        in_one_step = self.by_pools and after in (I.COMPLETED, I.FAILED)
        assert before is after or after in STEPS[before] or in_one_step, f"{data} after {before}"
        if after is I.DRAINING and before is not after:
            assert self.status is S.ROLLING_BACK, f"rollback begun although {self.status}: {data}"
        self.reverts[name] = after

    def compare(self, execution: Execution, rows: Sequence[Instance]) -> None:
        """Rows must match the events, and an execution that has released its active slot has nothing in flight."""
        assert execution.status is self.status, f"{execution.status}, the events say {self.status}"
        for row in rows:
            assert row.status is self.statuses.get(row.instance_id, I.PENDING), row
            assert (row.revert or I.PENDING) is self.reverts.get(row.instance_id, I.PENDING), row
            assert row.attempts <= MAX_ATTEMPTS, row
        self.settled = execution.settled_at is not None
        if self.settled:
            assert execution.is_terminal, f"let go although {execution.status}"
            assert not [row for row in rows if row.in_flight], "let go with instances in flight"
        if execution.status is S.COMPLETED:
            assert {row.status for row in rows} == {I.COMPLETED}, "COMPLETED means all instances"
        if execution.status is S.ROLLED_BACK:
            assert {row.status for row in rows} <= {I.PENDING, I.ROLLED_BACK, *IN_FLIGHT}
