"""The store of executions and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Follower:
    """An execution that was made from an ended one: it ``reverts`` that one, or retries it."""

    id: str
    status: ExecutionStatus
    reverts: bool


class Executions(Protocol):
    """Executions with their plan, batches, instances, checks and audit."""

    async def add(self, execution: Execution, plan: Plan, instances: Iterable[Instance]) -> None:
        """Insert the execution with its plan, batches, instances and checks.

        :raises ActiveUpgradeExists: tenant and component have an execution that is not settled.
        :raises AlreadyExists: there is an execution with this id.
        """

    async def get(self, execution_id: str) -> Execution:
        """:raises NotFound: there is no such execution."""

    async def lock(self, execution_id: str) -> Execution:
        """As ``get``, with a lock on the row until this unit of work ends."""

    async def save(self, execution: Execution) -> Execution:
        """Write the row if its ``version`` is still the stored one; returns it with the next version.

        :raises ConcurrentChange: the row was written in between.
        """

    async def note_attention(self, execution_id: str, attention: Attention | None) -> None:
        """Write only what keeps the execution from going on; its ``version`` stays, so that no command is refused.

        Without effect once it is settled: a runner that is still at work has nothing to say any more.
        """

    async def active(self, tenant_id: str, component_id: str) -> Execution | None:
        """The execution that holds the active slot: the one that is not settled."""

    async def newer(self, execution: Execution, before: Execution | None = None) -> str | None:
        """The newest later execution, earlier than ``before``, that has changed what tenant and component run.

        It has touched instances (BLUE_GREEN: given the new pool the traffic), was not rolled back, and does not revert
        ``execution``. None if there is none.
        """

    async def followers(self, execution: Execution) -> list[Follower]:
        """The executions that retry or revert ``execution``, the newest first; at most 20."""

    async def unsettled(self, status: ExecutionStatus | None = None) -> list[ExecutionSummary]:
        """All executions that were started and are not settled, of all tenants; only those in ``status`` if given."""

    async def may_begin_in_worker(self, places: int, seconds: float) -> bool:
        """Whether fewer than ``places`` executions began in a worker in the last ``seconds`` and have not ended.

        Other units of work wait for this one to end before they get their result.
        """

    async def statistics(self, component_id: str) -> Statistics:
        """The statistics of the component's executions in all tenants."""

    async def history(self, of: HistoryOf, since: date, until: date) -> History:
        """The executions that ended since the Monday ``since`` (UTC), with every week until ``until``."""

    async def plan(self, execution_id: str) -> Plan:
        """The frozen plan."""

    async def instances(self, execution_id: str) -> list[Instance]:
        """The instances in the plan's order."""

    async def save_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Update the rows."""

    async def rollback_instances(self, execution_id: str) -> list[Instance]:
        """The rows of the rollback in its order; an instance has one once its rollback has begun."""

    async def save_rollback_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Insert or update the rows."""

    async def save_clocks(self, execution_id: str, instances: Sequence[Instance], batch: Batch) -> None:
        """Update only the watched seconds: of the batch, and of the instances that are still in the same step."""

    async def batches(self, execution_id: str, first: int = 1, limit: int | None = None) -> list[Batch]:
        """The batches by number, from ``first`` on; at most ``limit`` of them."""

    async def save_batch(self, execution_id: str, batch: Batch) -> None:
        """Insert or update the row."""

    async def checks(self, execution_id: str) -> list[CheckResult]:
        """The checks in the order in which they are shown."""

    async def save_checks(self, execution_id: str, results: Sequence[CheckResult]) -> None:
        """Update the rows."""

    async def add_command(self, execution_id: str, command: str, actor: Actor, reason: str | None) -> None:
        """Insert the audit row: who gave the command, when, from which source and why (section 9).

        ``command`` is a ``Command``, or the name of what an administrator did.
        """
