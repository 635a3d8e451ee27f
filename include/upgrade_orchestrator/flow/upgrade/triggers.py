"""Triggers: data and a loop. They run in the triggerer, which imports them by their dotted path."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from airflow.triggers.base import BaseTrigger, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import Step, Work
from upgrade_orchestrator.flow.upgrade.joined import JoinedLooks
from upgrade_orchestrator.service.checks.run import Validation, read_validation, run_check
from upgrade_orchestrator.service.ports.fleet import FleetError, StaleToken
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import do_step, work_on

log = logging.getLogger(__name__)

AWAY_SECONDS = 2.0
"How long to wait when the database or the fleet is away: the upgrade goes on when it is back."
FIRST_STEP_SECONDS = 15.0
"""How long after its start an execution's checks are left to its first step, which begins beside their tasks and runs
them together: one by one they cost several times as much. It may have to wait for a worker."""
LEFT_SECONDS = 5.0
"For how long a task whose work is done is left to the control loops, which end it at less cost."
T = TypeVar("T")
_looks: JoinedLooks[Validation] = JoinedLooks()


class UpgradeTrigger(BaseTrigger):
    """Something of the execution ``execution_id``; after a crash the next triggerer goes on from the rows."""

    def __init__(self, execution_id: str) -> None:
        super().__init__()
        self.execution_id = execution_id

    def arguments(self) -> dict[str, Any]:
        """What it is made from."""
        return {"execution_id": self.execution_id}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments."""
        return path_of(type(self)), self.arguments()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event."""
        yield await self.event()

    @abstractmethod
    async def event(self) -> TriggerEvent:
        """What the task is told."""

    async def stubbornly(self, use_case: Callable[[Ports], Awaitable[T]]) -> T:
        """What it answers, as soon as the database and the fleet are there.

        :raises StaleToken: the fleet obeys somebody newer.
        """
        while True:
            try:
                return await use_case(await bootstrap.open_ports())
            except StaleToken:
                raise
            except (Unavailable, FleetError) as error:
                log.warning("execution %s: %s, trying again", self.execution_id, error)
                await asyncio.sleep(AWAY_SECONDS)

    async def succeed(self, told: str) -> TriggerEvent:
        """The task's good end, where the control loops do not bring it about (see service/end_tasks.py)."""
        log.info("%s", told)
        if self.task_instance is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEFT_SECONDS):
                    await self._leave_to_control_loops(str(self.task_instance.id))
        return TaskSuccessEvent()

    async def _leave_to_control_loops(self, task_id: str) -> None:
        """Wait to be let go of, unless nobody can be told: whatever keeps us from it must not fail what is done."""
        try:
            await (await bootstrap.open_ports()).task_ends.notify(task_id)
        except Exception as error:
            log.info("the control loops cannot be told that the task is done: %s", error)
        else:
            await asyncio.sleep(LEFT_SECONDS)


class WorkTrigger(UpgradeTrigger):
    """Brings the work that a worker has begun to its end, and tells the task how it ended."""

    def __init__(self, execution_id: str, work: str, batch: int) -> None:
        super().__init__(execution_id)
        self.work, self.batch = work, batch

    def arguments(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().arguments(), "work": self.work, "batch": self.batch}

    async def event(self) -> TriggerEvent:
        """How the work ended, for the task that goes on in a worker."""
        step = Step(Work(self.work), self.batch)
        outcome = await self.stubbornly(
            partial(work_on, execution_id=self.execution_id, step=step, seconds=None),
        )
        return TriggerEvent({"ending": outcome.ending.value, "reason": outcome.reason})


class StepTrigger(UpgradeTrigger):
    """Is a task from its start to its end: no worker is needed. ``last``: of the batches that are one piece of work.

    Only a failure is left to a worker: of what a trigger fails, Airflow would try again what was meant to fail.
    """

    def __init__(self, execution_id: str, work: str, batch: int, last: int) -> None:
        super().__init__(execution_id)
        self.work, self.batch, self.last = work, batch, last

    def arguments(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().arguments(), "work": self.work, "batch": self.batch, "last": self.last}

    async def event(self) -> TriggerEvent:
        """The end of the task: green, red when the execution has failed, skipped when it went elsewhere."""
        step = Step(Work(self.work), self.batch, self.last)
        outcome = await self.stubbornly(
            partial(do_step, execution_id=self.execution_id, step=step, seconds=None),
        )
        told = f"{self.work}: {outcome.ending.value} {outcome.reason}"
        if outcome.ending is Ending.DONE:
            return await self.succeed(told)
        log.info("%s", told)
        return await self._end(outcome)

    async def _end(self, outcome: Outcome) -> TriggerEvent:
        if outcome.ending is Ending.NOT_TAKEN:
            return TaskSkippedEvent()
        execution = await self.stubbornly(partial(find_execution, execution_id=self.execution_id))
        why = f"the execution is {execution.status.value}: {execution.status_reason}"
        if execution.status is ExecutionStatus.COMPLETED:  # by somebody else, this task's work with it
            return await self.succeed(why)
        log.info("%s", why)
        return TriggerEvent(why) if execution.status is ExecutionStatus.FAILED else TaskSkippedEvent()


class CheckTrigger(UpgradeTrigger):
    """Is the task of one pre-upgrade check: tells what was found, and looks where nobody did."""

    def __init__(self, execution_id: str, check: str) -> None:
        super().__init__(execution_id)
        self.check = check

    def arguments(self) -> dict[str, Any]:
        """What it is made from."""
        return {**super().arguments(), "check": self.check}

    async def event(self) -> TriggerEvent:
        """The end of the task: red when the check has failed."""
        name = CheckName(self.check)
        result = await self.stubbornly(
            partial(
                run_check,
                execution_id=self.execution_id,
                name=name,
                again=self._is_repeated(),
                patience=FIRST_STEP_SECONDS,
                read=_read_together,
            )
        )
        told = f"{name.value} {result.status.value}: {result.message}"
        if result.status is not CheckStatus.FAILED:
            return await self.succeed(told)
        log.info("%s", told)
        return TriggerEvent(result.message)

    def _is_repeated(self) -> bool:
        """Somebody has cleared the task, and wants it to look."""
        return self.task_instance is not None and self.task_instance.try_number > 1


def path_of(trigger: type[BaseTrigger]) -> str:
    """Where the triggerer imports it from."""
    return f"{trigger.__module__}.{trigger.__qualname__}"


async def _read_together(ports: Ports, execution_id: str) -> Validation:
    """The five checks of an execution wait for the same."""
    return await _looks.look(execution_id, partial(read_validation, ports, execution_id))
