"""The seed's registry on the store in memory and a fleet in this process, on the clock of a virtual event loop."""

import errno
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tests.labs.fleet.agent import AdminInMemory, AgentInMemory
from tests.labs.fleet.wire import FleetsInMemory
from tests.labs.memory.numbered_ids import numbered_ids
from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from tests.labs.seed import BACKUP, OLD_VERSION, document
from tests.labs.world import World
from tests.virtual_time import START, Clock
from upgrade_orchestrator.adapters.memory.engine.database import MemoryDatabase
from upgrade_orchestrator.adapters.memory.engine.tables import LEASE, LeaseRow, Tables
from upgrade_orchestrator.adapters.memory.events.cursors import MemoryEventCursors
from upgrade_orchestrator.adapters.memory.events.outbox import MemoryOutbox
from upgrade_orchestrator.adapters.memory.events.signals import MemoryNames, MemorySignals
from upgrade_orchestrator.adapters.memory.unit_of_work import MemoryUnitOfWork
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.events.metrics import MetricValue
from upgrade_orchestrator.domain.events.notifications import Notice
from upgrade_orchestrator.service.ports.options import Options
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import load_registry

FLEET = "lab"
LOCATION = "file:///backups/kafka-3.6.0.backup"


@dataclass
class Storage:
    """Port ``ReadObject``: contents by location."""

    contents: dict[str, bytes] = field(default_factory=dict)

    async def __call__(self, location: str, *, whole: bool = True) -> StoredObject:
        """Size and SHA-256.

        :raises OSError: there is nothing.
        """
        if location not in self.contents:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), location)
        content = self.contents[location]
        return StoredObject(len(content), hashlib.sha256(content).hexdigest() if whole else None)


class MemoryTaskEnds:
    """Port ``TaskEnds`` within this process."""

    def __init__(self) -> None:
        self._hear: set[MemoryNames] = set()

    async def notify(self, task_id: str) -> None:
        """Notify every listener."""
        for each in self._hear:
            each.notify(task_id)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[MemoryNames]:
        """Collects names from here on."""
        names = MemoryNames()
        self._hear.add(names)
        try:
            yield names
        finally:
            self._hear.discard(names)


class NoMetrics:
    """Port ``Metrics``, switched off."""

    def are_on(self) -> bool:
        """Metrics are off."""
        return False

    def show(self, figure: MetricValue) -> None:
        """Does nothing."""


class NoNotices:
    """Port ``Notices``, switched off."""

    def are_wanted(self) -> bool:
        """No notices are wanted."""
        return False

    async def send(self, notice: Notice) -> None:
        """Does nothing."""


@dataclass(frozen=True)
class MemoryWorld(World):
    """Everything is in this process and uses the same ``clock``."""

    admin: AdminInMemory
    database: MemoryDatabase
    clock: Clock
    storage: Storage

    def rows(self, table: str) -> int:
        """How many rows the table has."""
        return len(list(self.database.tables.of(table, None)))

    def lease(self) -> tuple[str, int, bool]:
        """Owner, token and whether the lease is held now."""
        (row,) = self.database.committed(LEASE)
        return row.owner, row.token, row.expires_at > self.database.now() and row.owner != ""

    def end_lease(self) -> None:
        """Make the lease expire, as if its holder had been silent for some seconds."""
        for key, row in list(self.database.tables.of(LEASE.name, None)):
            self.database.tables.put(LEASE.name, key, LeaseRow(row.owner, row.token, self.database.now()))


async def make_memory_world(clock: Clock, lease_seconds: float, **settings: Any) -> MemoryWorld:
    """A fleet with those settings at the old version, and the registry around it."""
    database, agent = MemoryDatabase(clock.now, numbered_ids(clock.now)), AgentInMemory(clock.now)
    await agent.create(FLEET, version=OLD_VERSION, **settings)
    parses, airflow, people = AskedParses(), ScriptedRuns(), ScriptedPeople()
    storage = Storage({LOCATION: BACKUP})
    ports = replace(
        memory_ports(database, lease_seconds),
        fleets=FleetsInMemory(agent.agent),
        parse_requests=parses,
        runs=airflow,
        human_tasks=people,
        read_object=storage,
    )
    database.tables = (await _registry()).copy()
    return MemoryWorld(ports, FLEET, agent.admin, parses, airflow, people, database, clock, storage)


async def _registry() -> Tables:
    """The seed's rows, loaded once: every world gets a copy."""
    if not _seed:
        database = MemoryDatabase(lambda: START)
        await load_registry(memory_ports(database, 0.0), entries_in(document(FLEET, LOCATION, BACKUP, START)))
        _seed.append(database.tables)
    return _seed[0]


_seed: list[Tables] = []


def memory_ports(database: MemoryDatabase, lease_seconds: float) -> Ports:
    """All ports on the database; each can be replaced."""
    return Ports(
        work=partial(MemoryUnitOfWork, database, lease_seconds),
        fleets=FleetsInMemory(AgentInMemory(database.now).agent),
        signals=MemorySignals(database),
        parse_requests=AskedParses(),
        runs=ScriptedRuns(),
        human_tasks=ScriptedPeople(),
        read_object=Storage(),
        new_id=database.new_id,
        options=Options(lease_seconds=lease_seconds),
        outbox=MemoryOutbox(database),
        event_cursors=MemoryEventCursors(database),
        metrics=NoMetrics(),
        notices=NoNotices(),
        task_ends=MemoryTaskEnds(),
    )
