"""The unit of work, and the ports that a use case gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.service.ports.airflow import AirflowRuns, HumanTasks, Notices, ParseRequests
from upgrade_orchestrator.service.ports.event_cursors import EventCursors, Metrics
from upgrade_orchestrator.service.ports.fleet import Fleets
from upgrade_orchestrator.service.ports.options import Options
from upgrade_orchestrator.service.ports.outbox import Outbox
from upgrade_orchestrator.service.ports.signals import Signals, TaskEnds
from upgrade_orchestrator.service.ports.stores.approvals import Approvals
from upgrade_orchestrator.service.ports.stores.board import Board
from upgrade_orchestrator.service.ports.stores.catalogue import Catalogue
from upgrade_orchestrator.service.ports.stores.events import Events
from upgrade_orchestrator.service.ports.stores.executions import Executions
from upgrade_orchestrator.service.ports.stores.leases import Leases
from upgrade_orchestrator.service.ports.stores.overviews import Overviews
from upgrade_orchestrator.service.ports.stores.registry import Registry


class UnitOfWork(Protocol):
    """One database transaction: leaving without ``commit`` rolls it back."""

    @property
    def executions(self) -> Executions: ...
    @property
    def overviews(self) -> Overviews: ...
    @property
    def events(self) -> Events: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def board(self) -> Board: ...
    @property
    def catalogue(self) -> Catalogue: ...

    async def now(self) -> datetime:
        """The time by the database's clock (UTC), which all processes share."""

    async def use_snapshot(self) -> None:
        """Make all following reads see one snapshot of the database; the transaction becomes read-only."""

    async def commit(self) -> None:
        """Commit the transaction; listeners of its events are notified (NOTIFY)."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ReadObject(Protocol):
    """Reads the object at a location as a stream; without ``whole`` only its size."""

    def __call__(self, location: str, *, whole: bool = True) -> Awaitable[StoredObject]:
        """Size and checksum of the object.

        :raises OSError: it does not exist or cannot be read.
        :raises ValueError: ``location`` is not a location.
        """


NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of the use cases; made by bootstrap, never at import."""

    work: Callable[[], UnitOfWork]
    fleets: Fleets
    signals: Signals
    parse_requests: ParseRequests
    runs: AirflowRuns
    human_tasks: HumanTasks
    read_object: ReadObject
    new_id: NewId
    options: Options
    outbox: Outbox
    event_cursors: EventCursors
    metrics: Metrics
    notices: Notices
    task_ends: TaskEnds
