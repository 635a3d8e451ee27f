"""The bench's reference job on PostgreSQL, the same to the last statement every time.

The fleet is the demo agent's code in this process, and time passes only in the runner's waits, which put the clock
forward: fleet and rows are read equally often, however slow the machine and its PostgreSQL are.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Self, cast

from sqlalchemy import event

from tests.labs.fleet.agent import AgentInMemory
from tests.labs.fleet.wire import FleetsInMemory
from tests.labs.lab import OLGA
from tests.labs.memory.world import LOCATION, Storage
from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from tests.labs.seed import BACKUP, COMPONENT, NEW, OLD, OLD_VERSION, TENANT, document
from tests.lifecycle.stepped import Clock, SteppedLoop, SteppedWork
from upgrade_orchestrator.adapters.postgres.engine.engine import engine_of
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest
from upgrade_orchestrator.domain.plan.steps import StepKind, steps_of
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.registry.load import load_registry
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.steps.work import run_step, verify_now
from upgrade_orchestrator.service.upgrade.create import create_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade
from upgrade_orchestrator.settings import Settings

FLEET, INSTANCES, BATCH_SIZE, UPGRADE_SECONDS = "reference", 20, 5, 0.5
STATEMENTS, TRANSACTIONS = "statements", "transactions"
_TURNS = 100
"More turns of the event loop than the agent needs for what has become due."


@dataclass
class Sent:
    """What was sent to PostgreSQL, by the task that sent it: statements and transactions begun."""

    by_task: dict[str, tuple[int, int]] = field(default_factory=dict)
    _task: str | None = None

    @contextmanager
    def by(self, task: str) -> Iterator[None]:
        """Count whatever is sent during the block as the task's."""
        self._task = task
        self.by_task.setdefault(task, (0, 0))
        yield
        self._task = None

    @asynccontextmanager
    async def noted(self, url: str) -> AsyncIterator[None]:
        """Count what this event loop sends to ``url`` during the block."""
        engine = engine_of(url).sync_engine
        heard = (("before_cursor_execute", self._note_statement), ("begin", self._note_transaction))
        for name, note in heard:
            event.listen(engine, name, note)
        yield
        for name, note in heard:
            event.remove(engine, name, note)

    def _note_statement(self, _connection: object, _cursor: object, _statement: str, *_: object) -> None:
        self._add(1, 0)

    def _note_transaction(self, _connection: object) -> None:
        self._add(0, 1)

    def _add(self, statements: int, transactions: int) -> None:
        if self._task is not None:
            before = self.by_task[self._task]
            self.by_task[self._task] = (before[0] + statements, before[1] + transactions)


async def run_the_upgrade(ports: Ports, execution: Execution, sent: Sent) -> None:
    """The calls of a started execution's DAG: the first step does all the work, the other tasks find it done."""
    async with ports.work() as work:
        first = next(each for each in steps_of(await work.executions.plan(execution.id)) if each.kind is StepKind.BATCH)
    with sent.by("first step"):
        await run_step(ports, execution.id, first, Settings().inline_seconds)
    with sent.by("checks"):
        for name in CheckName:
            await run_check(ports, execution.id, name)
    with sent.by("verify"):
        await verify_now(ports, execution.id, Settings().inline_seconds)


def reference_job(url: str) -> tuple[Execution, Sent]:
    """Run it once on the empty database at ``url``; returns the execution at its end, and what was sent."""
    clock = Clock()
    with asyncio.Runner(loop_factory=partial(SteppedLoop, clock)) as runner:
        return runner.run(_reference_job(url, clock))


async def _reference_job(url: str, clock: Clock) -> tuple[Execution, Sent]:
    agent, sent = AgentInMemory(clock.now), Sent()
    await agent.create(FLEET, size=INSTANCES, version=OLD_VERSION, upgrade_seconds=UPGRADE_SECONDS)
    ports = _ports(url, clock, agent)
    await load_registry(ports, entries_in(document(FLEET, LOCATION, BACKUP, clock.now())))
    created = await create_upgrade(ports, TENANT, _REQUEST, OLGA)
    started = await start_upgrade(ports, created.id, OLGA)
    async with sent.noted(url):
        await run_the_upgrade(ports, started, sent)
    ended = await find_execution(ports, created.id)
    await close_ports()
    return ended, sent


_REQUEST = UpgradeRequest(
    component_id=COMPONENT,
    from_version_id=OLD,
    to_version_id=NEW,
    batch_size=BATCH_SIZE,
    batch_delay_seconds=0,
    total_instances=INSTANCES,
)


def _ports(url: str, clock: Clock, agent: AgentInMemory) -> Ports:
    settings = Settings(backup_roots="file:///")

    def work() -> UnitOfWork:
        return cast(UnitOfWork, _Work(PostgresUnitOfWork(url, settings.lease_seconds), clock))

    return replace(
        ports_for(url, settings),
        work=work,
        fleets=FleetsInMemory(agent.agent),
        signals=_Waits(clock),
        parse_requests=AskedParses(),
        runs=ScriptedRuns(),
        human_tasks=ScriptedPeople(),
        read_object=Storage({LOCATION: BACKUP}),
    )


class _Work(SteppedWork):
    """Asks the database for its time as usual, but uses the job's clock."""

    async def now(self) -> datetime:
        await self._work.now()
        return await super().now()


class _Waits:
    """Ports ``Signals`` and ``Waiter`` in one: a wait ends at once and puts the clock forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[Self]:
        """There are no signals."""
        yield self

    async def wait(self, seconds: float) -> bool:
        """Let everything happen in the fleet that is due by then."""
        self._clock.put_forward(max(0.0, seconds))
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        return False

    def names(self) -> Any:
        """Not called: the job has no followers."""
        raise NotImplementedError
