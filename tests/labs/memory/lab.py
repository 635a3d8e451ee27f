"""A lab in memory: time is virtual, the wall clock can be set, and stored rows can be changed directly."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from local.fleet.agent.orders import Orders
from local.fleet.state.calls import Answer
from tests.event_types import violations_of
from tests.labs.fleet.agent import ForeignOrder
from tests.labs.lab import Lab, until
from tests.labs.memory.world import MemoryWorld
from upgrade_orchestrator.adapters.memory.engine.tables import (
    BACKUP,
    COMMAND,
    COMPONENT,
    EVENT,
    EXECUTION,
    LEASE,
    UPGRADE_PATH,
    CommandRow,
    ExecutionRow,
    Row,
    Table,
)
from upgrade_orchestrator.adapters.memory.events.events import event_from
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.registry.entries import ComponentVersion

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class MemoryLab(Lab):
    """One fleet with its registry content, all of it in this process."""

    world: MemoryWorld

    def set_clock(self, by: timedelta) -> None:
        """Let the wall clock jump: everything written becomes so much older, and nothing has happened meanwhile."""
        self.world.clock.ahead += by

    def set_lease(self, by: timedelta) -> None:
        """Make the lease expire so much later, or earlier."""
        self._change(LEASE, lambda lease: replace(lease, expires_at=lease.expires_at + by))

    def attention(self) -> Attention | None:
        """What keeps the newest execution from going on."""
        newest = max(self.world.database.committed(EXECUTION), key=lambda row: row.execution.created_at)
        return newest.execution.attention

    def commands(self) -> list[CommandRow]:
        """The commands with their actors, in the order in which they were given."""
        return sorted(self.world.database.committed(COMMAND), key=lambda each: each.created_at)

    def violations(self) -> list[str]:
        """Where events stored so far violate the schemas in docs/events."""
        return [each for row in self.world.database.committed(EVENT) for each in violations_of(event_from(row))]

    async def change_version(self, version_id: str, **fields: Any) -> None:
        """Edit the registry, as another person would."""
        async with self.world.ports.work() as work:
            version: ComponentVersion | None = await work.registry.version(version_id)
            assert version is not None
            await work.registry.put(replace(version, **fields))
            await work.commit()

    def change_request(self, **fields: Any) -> None:
        """Change the executions as if their requests had been different."""

        def change(row: ExecutionRow) -> ExecutionRow:
            request = replace(row.execution.request, **fields)
            return replace(row, execution=replace(row.execution, request=request))

        self._change(EXECUTION, change)

    def change_paths(self, **fields: Any) -> None:
        """The same for every upgrade path there is."""
        self._change(UPGRADE_PATH, lambda path: replace(path, **fields))

    def forget_paths(self) -> None:
        """Remove all upgrade paths."""
        self._forget(UPGRADE_PATH)

    def keep_no_state(self) -> None:
        """Declare that the components need no backup."""
        self._change(COMPONENT, lambda component: replace(component, backup_required=False))

    def forget_backups(self) -> None:
        """Remove all backups."""
        self._forget(BACKUP)

    def make_backups_older(self, by: timedelta) -> None:
        """Make the backups so much older."""
        self._change(BACKUP, lambda backup: replace(backup, created_at=backup.created_at - by))

    def _change(self, table: Table[Row], change: Callable[[Row], Row]) -> None:
        tables = self.world.database.tables
        for key, row in list(tables.of(table.name, None)):
            tables.put(table.name, key, change(row))

    def _forget(self, table: Table[Any]) -> None:
        tables = self.world.database.tables
        for key, _ in list(tables.of(table.name, None)):
            tables.drop(table.name, key)

    def order(self, order: ForeignOrder, target: str, *, fence: int, body: Any = None) -> Answer:
        """A call of section 11 by another client, with that fencing token.

        :raises Refusal: the agent refuses it.
        """
        return self.world.admin.order(self.world.fleet, order, target, fence, body)

    async def left_over(self, version: str, size: int) -> None:
        """A pool green that was left behind by other means, all of it up."""
        self.order(Orders.add_pool, "green", fence=0, body={"version": version, "size": size})
        await until(lambda: self.statuses()["UPGRADING"] == 0, "the pool is up")


MakeLab = Callable[..., Awaitable[MemoryLab]]
