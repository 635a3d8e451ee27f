"""Use case: note why nobody works on an execution, as far as Airflow shows it (specification section 6)."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.airflow.drift import ExecutionSummary
from upgrade_orchestrator.domain.airflow.shards import shard_file
from upgrade_orchestrator.domain.airflow.stuck import AirflowSight, Problem, RunSight, stuck
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.execution.attention import AIRFLOW_CAUSES, TASK_FAILING, Attention
from upgrade_orchestrator.domain.execution.execution import dag_id_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.loops import ATTENTION_SECONDS
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.attention import UPDATE_SECONDS, write_attention

log = logging.getLogger(__name__)

LOOKS = 3
"""Looks in a row that have to see a problem. After Airflow's database was away every heartbeat is old for up to 5 s, as
long as the components need for the next one: the third look, 6 s after the first, does not see that any more."""
FORGET_SECONDS = 3 * ATTENTION_SECONDS
"A look that came before a longer gap, in which another process led, does not count as the one before."
SAME_CHARACTERS = 150
"Of a message, that the error of a task has to contain: Airflow keeps only so much of an error."

NO_DAG = RunSight(known=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A problem that was seen in ``looks`` looks in a row; ``written_at`` is when it was written, 0: not yet."""

    problem: Problem
    looks: int = 1
    written_at: float = 0.0


class AttentionWatch:
    """The looks of one process. What it remembers is only how often in a row it has seen a problem."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._looked_at = 0.0

    async def look(self, ports: Ports) -> None:
        """Look at all executions at once; write where a problem is news or over.

        :raises Unavailable: the product's database or Airflow's does not respond.
        """
        async with ports.work() as work:
            unsettled = await work.executions.unsettled()
            now = await work.now() if unsettled else None
        sight = await ports.runs.look([dag_id_of(each.id) for each in unsettled]) if unsettled else AirflowSight()
        found = [] if now is None else [(each, self._problem_of(each, sight, now)) for each in unsettled]
        self._remember(found)
        for each, problem in found:
            await self._tell_safely(ports, each, problem)

    def _problem_of(self, execution: ExecutionSummary, sight: AirflowSight, now: datetime) -> Problem | None:
        """What Airflow shows to keep the execution from going on; ``now`` is of the product's database."""
        waited = (now - execution.started_at).total_seconds() if execution.started_at else 0.0
        run = sight.runs.get(dag_id_of(execution.id), NO_DAG)
        seen = self._seen.get(execution.id)
        before = seen.problem.code if seen else execution.attention.code if execution.attention else None
        return stuck(execution, waited, sight, run, shard_file(execution.id), before)

    def _remember(self, found: Sequence[tuple[ExecutionSummary, Problem | None]]) -> None:
        """Count the looks of the same problem in a row."""
        now, before = get_running_loop().time(), self._seen
        if now - self._looked_at > FORGET_SECONDS:
            before = {}
        self._looked_at, self._seen = now, {}
        for execution, problem in found:
            if problem is None:
                continue
            seen = before.get(execution.id)
            same = seen is not None and seen.problem.code == problem.code
            looks, written_at = (seen.looks + 1, seen.written_at) if seen and same else (1, 0.0)
            self._seen[execution.id] = Seen(problem, looks, written_at)

    async def _tell_safely(self, ports: Ports, execution: ExecutionSummary, problem: Problem | None) -> None:
        try:
            await self._tell(ports, execution, problem)
        except Unavailable:
            raise
        except Exception:  # one failing execution must not keep the others' problems from being noted
            log.exception("the attention of execution %s cannot be noted", execution.id)

    async def _tell(self, ports: Ports, execution: ExecutionSummary, problem: Problem | None) -> None:
        noted, seen = execution.attention, self._seen.get(execution.id)
        if problem is None or seen is None:
            if noted is not None and noted.code in AIRFLOW_CAUSES:
                await _write(ports, execution, None)
            return
        now, same = get_running_loop().time(), noted is not None and noted.code == problem.code
        if noted is not None and _says_the_same(noted, problem):
            return
        if seen.looks < LOOKS or (same and now - seen.written_at < UPDATE_SECONDS):
            return
        await _write(ports, execution, seen)
        self._seen[execution.id] = Seen(problem, seen.looks, now)


def _says_the_same(noted: Attention, problem: Problem) -> bool:
    """A runner has noted why its task fails: that tells more, and the next try of the task takes it back.

    Else each try would change the code twice, as long as the cause lasts.
    """
    by_runner = noted.code not in AIRFLOW_CAUSES
    return by_runner and problem.code == TASK_FAILING and noted.message[:SAME_CHARACTERS] in problem.message


async def _write(ports: Ports, seen_as: ExecutionSummary, seen: Seen | None) -> None:
    """Under the execution's lock, and only if it is as it was when it was looked at.

    A problem replaces what a runner has noted: where nobody works, no runner can take it back.
    """
    async with ports.work() as work:
        execution = await work.executions.lock(seen_as.id)
        before = execution.attention
        changed = execution.status is not seen_as.status or before != seen_as.attention
        if changed or execution.status is ExecutionStatus.PAUSED and seen is not None:
            return
        attention = None
        if seen is not None:
            since = await work.now() - timedelta(seconds=min(seen.problem.seconds, 86400.0))
            if before is not None and before.code == seen.problem.code:
                since = before.since
            attention = Attention(seen.problem.code, since, seen.problem.message, seen.looks)
        await write_attention(work, execution, attention)
        await work.commit()


note_attention = AttentionWatch().look
"""The control loop of this process."""
