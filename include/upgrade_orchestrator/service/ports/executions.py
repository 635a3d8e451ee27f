"""The rows of an execution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from upgrade_orchestrator.domain.airflow.drift import Standing
from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.execution.commands import Actor, Command
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan


class Executions(Protocol):
    """Executions with their plan, batches, instances, checks and audit."""

    async def add(self, execution: Execution, plan: Plan, instances: Iterable[Instance]) -> None:
        """:raises ActiveUpgradeExists: when the database already has a not-settled one for tenant and component;
        :raises AlreadyExists: one with this id.
        """

    async def get(self, execution_id: str) -> Execution:
        """:raises NotFound: when there is none."""

    async def lock(self, execution_id: str) -> Execution:
        """As get, and nobody else writes to the execution before this unit of work ends."""

    async def save(self, execution: Execution) -> Execution:
        """Write it if its ``version`` is still the stored one; returns it with the next version.

        :raises ConcurrentChange: when it is not.
        """

    async def active(self, tenant_id: str, component_id: str) -> Execution | None:
        """The one not-terminal (or not yet settled) execution."""

    async def unsettled(self, status: ExecutionStatus | None = None) -> list[Standing]:
        """Every execution that was started and is not settled (in ``status``), in whichever tenant."""

    async def may_begin_in_worker(self, places: int, seconds: float) -> bool:
        """Whether fewer than ``places`` executions began in a worker in the last ``seconds`` and are not over.

        Nobody else is told so before this unit of work ends.
        """

    async def statistics(self, component_id: str) -> Statistics:
        """How the component's executions went, in every tenant."""

    async def history(self, of: HistoryOf, since: date, until: date) -> History:
        """How those went that ended since the Monday ``since`` (UTC), with every week until ``until``."""

    async def plan(self, execution_id: str) -> Plan:
        """The frozen plan."""

    async def instances(self, execution_id: str) -> list[Instance]:
        """In the plan's order."""

    async def save_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Write the rows as they are given."""

    async def rollback_instances(self, execution_id: str) -> list[Instance]:
        """The rows of the rollback's work, in its order; an instance has one once work on it began."""

    async def save_rollback_instances(self, execution_id: str, instances: Sequence[Instance]) -> None:
        """Write the rows as they are given, a new one where there is none."""

    async def save_clocks(self, execution_id: str, instances: Sequence[Instance], batch: Batch) -> None:
        """Write only the watched seconds, of the instances that are still in the same step, and of the batch."""

    async def batches(self, execution_id: str, first: int = 1) -> list[Batch]:
        """By number, from ``first`` on."""

    async def save_batch(self, execution_id: str, batch: Batch) -> None:
        """Write the row as it is given, a new one where there is none."""

    async def checks(self, execution_id: str) -> list[CheckResult]:
        """In the order in which they are shown."""

    async def save_checks(self, execution_id: str, results: Sequence[CheckResult]) -> None:
        """Write the rows as they are given."""

    async def add_command(self, execution_id: str, command: Command, actor: Actor, reason: str | None) -> None:
        """Keep who asked for what, when, through which door and why (section 9)."""
