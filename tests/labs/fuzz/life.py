"""One upgrade with an agent that says anything: to its end, with the commands of people, and what must hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.labs.dag_walk import DagWalk, run_task
from tests.labs.fleet.wire import FleetsInMemory
from tests.labs.fuzz.agent import FuzzedClient, FuzzedFleets, Mood
from tests.labs.lab import OLGA
from tests.labs.memory.lab import MemoryLab
from tests.labs.memory.world import make_memory_world
from tests.virtual_time import running_clock
from upgrade_orchestrator.adapters.memory.engine.tables import EXECUTION, INSTANCE, ROLLBACK_INSTANCE
from upgrade_orchestrator.domain.errors import UpgradeError
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.service.approvals.decide import decide_stage
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade import commands

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
ANNA = Actor("anna")
RETRY_SECONDS = 5.0
"Airflow's delay before it tries a task again."


@dataclass(frozen=True)
class Life:
    """What chance has drawn: the fleet, the request, the agent's moods, and what people do."""

    size: int
    upgrade_seconds: float
    well_until_admitted: bool
    fields: Mapping[str, Any]
    moods: Sequence[Mood]
    pool: Sequence[Any]
    seed: int
    command_at: float
    command: str
    stale: bool
    killed_after: float | None
    "At the latest after so many seconds each task's process ends, and Airflow tries the task again; None: never."

    @property
    def longest(self) -> float:
        """The sum of the time-outs, in seconds, of everything that may have to be waited for, and a minute."""
        step, soak = float(self.fields["health_check_timeout_seconds"]), float(self.fields["soak_seconds"])
        one_try = 3 * step + 2 * soak + 3 * 10.0  # a call at the end of each step may take its whole time
        tries = 3 * self.size * 2 * one_try  # forward, once more after the verification, and back
        waits = (self.size + 8) * (step + 15.0 + float(self.fields["batch_delay_seconds"]))
        people = 120.0 * (self.size + 2)
        if self.killed_after is not None:  # nothing is watched while nobody works
            tries, waits = 3 * tries * (1 + RETRY_SECONDS / self.killed_after), 3 * waits
        return tries + waits + people + self.command_at + 60.0


@dataclass
class Judge:
    """Rules that hold for every order, whatever the fleet has said."""

    lab: MemoryLab
    by_pools: bool
    token: int = 0
    broken: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> None:
        problem = self._problem(method, path, headers, body)
        if problem:
            self.broken.append(f"{method} {path} {body}: {problem}")

    def _problem(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> str | None:
        token, key = int(headers["X-Fencing-Token"]), headers["Idempotency-Key"]
        if token < self.token:
            return f"token {token} after {self.token}"
        self.token = token
        if any(row.execution.settled_at is not None for row in self.lab.world.database.committed(EXECUTION)):
            return "the execution is settled"
        if "/instances/" not in path or ".fence." in key:
            return None
        name, order = path.split("/instances/")[1].split("/")
        rows = self._rows(name)
        if not rows and self.by_pools:
            return None  # an instance of the new pool, which replaces one of the plan
        if not rows or rows[0].gone:
            return "not an instance of the plan, or gone"
        match method, order:
            case "PUT", "version":
                wanted = {row.to_version for row in rows if row.status is I.UPGRADING}
                return None if body["version"] in wanted else f"its rows are {rows}"
            case "POST", "drain" if self._began_after_the_end(rows[0]):
                return f"the execution had ended: {rows[0]}"
            case "POST", "drain":
                draining = any(row.status is I.DRAINING for row in rows)
                return None if draining or rows[0].drained_before else f"its rows are {rows}"
        return None

    def _began_after_the_end(self, row: Instance) -> bool:
        ends = [each.execution.completed_at for each in self.lab.world.database.committed(EXECUTION)]
        return any(row.started_at is not None and end is not None and row.started_at > end for end in ends)

    def _rows(self, name: str) -> list[Instance]:
        tables = self.lab.world.database.tables
        found = [row for table in (INSTANCE, ROLLBACK_INSTANCE) for key, row in tables.of(table.name, None)]
        return [row for row in found if isinstance(row, Instance) and row.instance_id == name]


async def live(life: Life) -> Execution | None:
    """The upgrade at its end; None when its creation was refused."""
    timing = {"upgrade_seconds": life.upgrade_seconds, "drain_seconds": life.upgrade_seconds / 2}
    world = await make_memory_world(running_clock(), 10.0, size=life.size, **timing)
    lab, fleets = MemoryLab(world), world.ports.fleets
    judge = Judge(lab, life.fields["strategy"] is Strategy.BLUE_GREEN)
    assert isinstance(fleets, FleetsInMemory)
    client = FuzzedClient(fleets.wire, Random(life.seed), life.moods, life.pool, judge, life.stale)
    lab = lab.with_ports(fleets=FuzzedFleets(client))
    client.begins_at = asyncio.get_running_loop().time() + (3600 if life.well_until_admitted else 0)
    try:
        execution = await lab.validating(**life.fields)
    except UpgradeError:
        return None
    if life.well_until_admitted:
        await lab.check(execution.id)
        client.begins_at = asyncio.get_running_loop().time()
    people = asyncio.create_task(_people(lab, life, execution.id))
    try:
        async with asyncio.timeout(life.longest):
            await walk_to_the_end(lab, execution.id, Random(life.seed), life.killed_after)
    finally:
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
    ended = await lab.execution(execution.id)
    await client.arrived()
    assert judge.broken == [], judge.broken
    assert ended.is_terminal, ended
    assert ended.settled_at is not None, ended
    assert lab.violations() == []
    return ended


async def walk_to_the_end(
    lab: MemoryLab, execution_id: str, random: Random | None = None, killed_after: float | None = None
) -> None:
    """The tasks as Airflow runs them, each again after its retry delay; then the control loop."""
    walk = DagWalk(execution_id, await lab.batches(execution_id))
    while task := walk.next_task:
        try:
            async with asyncio.timeout(random.uniform(0.1, killed_after) if random and killed_after else None):
                outcome = await run_task(lab.world.ports, execution_id, task, None)
            await walk.note(lab.world.ports, task, outcome)
            await asyncio.sleep(1.0 if outcome.ending is Ending.UNFINISHED else 0.0)
        except (FleetError, UpgradeError, TimeoutError):
            await asyncio.sleep(RETRY_SECONDS)
    while (await lab.execution(execution_id)).settled_at is None:
        await finalize_abandoned(lab.world.ports)
        await asyncio.sleep(2.0)


async def _people(lab: MemoryLab, life: Life, execution_id: str) -> None:
    """One command at its time; and a person who decides what waits for a person."""
    ports, given, began = lab.world.ports, False, asyncio.get_running_loop().time()
    lab.world.people.approvers.add("anna")
    while True:
        await asyncio.sleep(1.0)
        execution = await lab.execution(execution_id)
        now = asyncio.get_running_loop().time() - began
        try:
            if not given and now >= life.command_at and life.command != "nothing":
                given = True
                await getattr(commands, life.command)(ports, execution_id, None, OLGA)
            elif execution.status is S.CANARY_MONITORING and execution.canary.polls >= 2:
                await commands.promote_canary(ports, execution_id, True, None, OLGA)
            elif execution.status is S.PAUSED and now >= life.command_at + 20:
                await _resume_or_cancel(lab, execution_id, now >= life.command_at + 60)
            elif execution.request.strategy is Strategy.STAGED and execution.status is S.IN_PROGRESS:
                await _decide(lab, execution_id)
            elif execution.status is S.CANARY_MONITORING and now > life.longest / 2:
                await commands.cancel_upgrade(ports, execution_id, None, OLGA)
        except UpgradeError:
            continue


async def _resume_or_cancel(lab: MemoryLab, execution_id: str, late: bool) -> None:
    command = commands.cancel_upgrade if late else commands.resume_upgrade
    await command(lab.world.ports, execution_id, None, OLGA)


async def _decide(lab: MemoryLab, execution_id: str) -> None:
    async with lab.world.ports.work() as work:
        waiting = [each for each in await work.approvals.of(execution_id) if each.decision is None]
        now = await work.now()
    for each in waiting:
        late = (now - each.requested_at).total_seconds() > 30
        await decide_stage(lab.world.ports, execution_id, each.stage, not late, None, ANNA)
