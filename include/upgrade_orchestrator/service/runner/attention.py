"""Notes what keeps an execution from going on, and that it is over (specification section 6, ``attention``).

Runners note what they meet while they work (``RUNNER_CAUSES``), the control loops why nobody works
(``AIRFLOW_CAUSES``); each takes back only its own.
"""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop, get_running_loop
from dataclasses import replace
from weakref import WeakKeyDictionary

from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.execution.attention import AIRFLOW_CAUSES, Attention, same_cause
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork

log = logging.getLogger(__name__)

TRIES = 2
"A problem that is met once is not worth a person's attention; from the second time in a row it is noted."
UPDATE_SECONDS = 30.0
"How often the number of tries is written again while the same problem lasts."

_met: WeakKeyDictionary[AbstractEventLoop, dict[str, int]] = WeakKeyDictionary()
"How often in a row the runners of an execution have met a problem, in each event loop of this process."


async def write_attention(work: UnitOfWork, execution: Execution, attention: Attention | None) -> None:
    """Write it, and a ``progress`` event and a line of the log if it begins, is another one, or ends.

    The caller has locked the execution. Without effect once it is settled.
    """
    before = execution.attention
    if execution.settled_at is not None:
        return
    await work.executions.note_attention(execution.id, attention)
    if same_cause(before, attention):
        return
    rows = await work.executions.instances(execution.id)
    await work.events.append(execution, [factory.progress(rows, attention)])
    if attention is not None:
        said = (attention.code, attention.message, attention.tries)
        log.warning("execution %s needs attention: %s: %s (%d tries)", execution.id, *said)
    elif before is not None:
        log.info("execution %s goes on: %s is over", execution.id, before.code)


async def without_the_checks_word(work: UnitOfWork, moved: Execution) -> Execution:
    """``moved`` has left its checks: what they met is over, also where the process that met it has died since.

    No runner may come for hours that would take it back, as where an approval is asked for.
    """
    if moved.attention is None or moved.attention.code in AIRFLOW_CAUSES:
        return moved
    await write_attention(work, moved, None)
    return replace(moved, attention=None)


class AttentionKeeper:
    """The attention of one execution, for one runner; it writes only when there is something new to say."""

    def __init__(self, ports: Ports, execution_id: str, *, goes_on: bool = False) -> None:
        """``goes_on``: the runner before it in this process had the same work, so what that has met counts too.

        Each call of a task, and each batch, is a runner: with calls that hang one alone might not meet anything twice.
        """
        self._ports, self._id = ports, execution_id
        self._noted: Attention | None = None
        self._met = _met.setdefault(get_running_loop(), {}) if goes_on else dict[str, int]()
        self._written_at = 0.0

    async def note(self, problem: FleetError | None, noted: Attention | None) -> None:
        """What the last round met; None: it met no problem. ``noted`` is what the execution's row says."""
        if noted is not None and noted.code in AIRFLOW_CAUSES:
            self._noted = None  # the control loops took us for dead: what we meet is news
        else:
            self._noted = self._noted or noted
        if problem is None:
            await self.well()
        else:
            await self.failed(problem.code, str(problem))

    async def failed(self, code: str, message: str) -> None:
        """The problem was met once more."""
        tries = self._met[self._id] = self._met.get(self._id, 0) + 1
        if tries < TRIES or not self._is_news(code, message):
            return
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._id)
            before = execution.attention
            since = before.since if before is not None and before.code == code else await work.now()
            self._noted = Attention(code, since, message, tries)
            await write_attention(work, execution, self._noted)
            await work.commit()
        self._written_at = get_running_loop().time()

    async def stuck(self, problem: FleetError, noted: Attention | None) -> None:
        """The work could not begin at all, for example without the fleet's connection: noted at the first time."""
        same = noted is not None and noted.code == problem.code
        self._noted, self._met[self._id] = noted, noted.tries if noted and same else TRIES - 1
        await self.failed(problem.code, str(problem))

    def _is_news(self, code: str, message: str) -> bool:
        if self._noted is None or (self._noted.code, self._noted.message) != (code, message):
            return True
        return get_running_loop().time() - self._written_at > UPDATE_SECONDS

    async def well(self) -> None:
        """There is no problem now."""
        self._met.pop(self._id, None)
        if self._noted is None:
            return
        self._noted = None
        async with self._ports.work() as work:
            execution = await work.executions.lock(self._id)
            if execution.attention is not None and execution.attention.code not in AIRFLOW_CAUSES:
                await write_attention(work, execution, None)
                await work.commit()
