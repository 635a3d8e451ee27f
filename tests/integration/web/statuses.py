"""Executions in any status, and what is stored of them, for tests of the commands."""

from dataclasses import dataclass, replace
from typing import Any

import httpx
from psycopg import sql

from tests.integration.world import TENANT, World
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus

WAY: dict[ExecutionStatus, tuple[ExecutionStatus, ...]] = {
    S.PENDING: (),
    S.VALIDATING: (S.VALIDATING,),
    S.IN_PROGRESS: (S.VALIDATING, S.IN_PROGRESS),
    S.CANARY_RUNNING: (S.VALIDATING, S.CANARY_RUNNING),
    S.CANARY_MONITORING: (S.VALIDATING, S.CANARY_RUNNING, S.CANARY_MONITORING),
    S.PAUSED: (S.VALIDATING, S.IN_PROGRESS, S.PAUSED),
    S.ROLLING_BACK: (S.VALIDATING, S.IN_PROGRESS, S.ROLLING_BACK),
    S.ROLLED_BACK: (S.VALIDATING, S.IN_PROGRESS, S.ROLLING_BACK, S.ROLLED_BACK),
    S.COMPLETED: (S.VALIDATING, S.IN_PROGRESS, S.COMPLETED),
    S.FAILED: (S.VALIDATING, S.IN_PROGRESS, S.FAILED),
    S.CANCELLED: (S.VALIDATING, S.IN_PROGRESS, S.CANCELLED),
}
"A legal way into each status."

STORED = ("execution", "instance", "batch", "approval", "check_result", "command", "event", "deployment", "lease")


@dataclass(frozen=True)
class Standing:
    """One execution of the world, touched in one instance, so that a rollback has something to revert."""

    world: World
    id: str

    async def go(self, status: ExecutionStatus, settled: bool = True) -> None:
        """Bring it into ``status`` in legal steps, each with its event; a terminal one has its slot until settled."""
        self.begin_again()
        async with self.world.ports.work() as work:
            execution, now, events = await work.executions.lock(self.id), await work.now(), list[Event]()
            for step in WAY[status]:
                execution, event = advance(execution, step, "on its way", SYSTEM, now)
                events.append(event)
            await work.events.append(execution, events)
            await work.executions.save(
                replace(execution, settled_at=now if settled and execution.is_terminal else None)
            )
            await work.commit()

    def begin_again(self) -> None:
        """PENDING as if nothing had been, with a stage that waits for its approval; the logs stay."""
        connection = self.world.connection
        # what a retry of it has made is over: there is one that is active at the most
        connection.execute(
            "UPDATE execution SET status = 'CANCELLED', completed_at = now(), settled_at = now()"
            " WHERE id <> %s AND settled_at IS NULL",
            (self.id,),
        )
        connection.execute(
            "UPDATE execution SET status = 'PENDING', started_at = NULL, completed_at = NULL, settled_at = NULL,"
            " paused_at = NULL, paused_from = NULL, promoted_by = NULL, promoted_at = NULL WHERE id = %s",
            (self.id,),
        )
        connection.execute("UPDATE instance SET status = 'COMPLETED' WHERE batch = 1 AND position = 0")
        # canaries that were not upgraded are healthy at the version that they run
        connection.execute("UPDATE execution SET to_version = from_version WHERE strategy = 'CANARY'")
        connection.execute("DELETE FROM approval")
        connection.execute(
            "INSERT INTO approval (execution_id, stage, plan_hash, requested_at)"
            " SELECT id, 2, plan_hash, clock_timestamp() FROM execution WHERE id = %s",
            (self.id,),
        )

    def status(self) -> ExecutionStatus:
        row = self.world.connection.execute("SELECT status FROM execution WHERE id = %s", (self.id,)).fetchone()
        assert row is not None
        return ExecutionStatus(row[0])

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that a command could write."""
        return {
            table: self.world.connection.execute(
                sql.SQL("SELECT * FROM {table} ORDER BY {table}").format(table=sql.Identifier(table))
            ).fetchall()
            for table in STORED
        }

    def last_sequence(self) -> int:
        """The sequence of the newest event."""
        query = "SELECT max(sequence) FROM event WHERE execution_id = %s"
        row = self.world.connection.execute(query, (self.id,)).fetchone()
        assert row is not None
        return int(row[0])

    def events(self, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
        """Sequence, type and data of the events above ``after``."""
        query = "SELECT sequence, what, data FROM event WHERE execution_id = %s AND sequence > %s ORDER BY sequence"
        return [(row[0], row[1], row[2]) for row in self.world.connection.execute(query, (self.id, after))]


async def standing(api: httpx.AsyncClient, world: World, strategy: str) -> Standing:
    """A new execution in PENDING, of four instances in stages or batches of one."""
    made = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request(strategy=strategy, batchSize=1))
    assert made.status_code == 201, made.text
    return Standing(world, made.json()["id"])
