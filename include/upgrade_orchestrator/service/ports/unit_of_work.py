"""What the use cases need from the outside, each as small as it can be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from upgrade_orchestrator.domain.airflow.drift import Standing
from upgrade_orchestrator.domain.checks.checks import CheckResult, StoredObject
from upgrade_orchestrator.domain.execution.commands import Actor, Command
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.operations.statistics import History, HistoryOf, Statistics
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.service.ports.airflow import AirflowRuns, HumanTasks, Notices
from upgrade_orchestrator.service.ports.approvals import Approvals
from upgrade_orchestrator.service.ports.board import Board
from upgrade_orchestrator.service.ports.event_cursors import Followers, Metrics
from upgrade_orchestrator.service.ports.fleet import Fleets
from upgrade_orchestrator.service.ports.idempotency import KeptAnswers
from upgrade_orchestrator.service.ports.live import Tail
from upgrade_orchestrator.service.ports.outbox import Outbox
from upgrade_orchestrator.service.ports.overviews import Overviews
from upgrade_orchestrator.service.ports.registry import Registry
from upgrade_orchestrator.service.ports.signals import Signals, TaskEnds

if TYPE_CHECKING:  # it is made of these ports
    from upgrade_orchestrator.service.events.feed import LiveFeed


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a deployment until somebody else takes over; ``token`` is the fencing token.

    ``unattended`` is for how long nobody has held it before, ``taken_over`` whether its last holder never gave it back
    and may still be about to send an order.
    """

    tenant_id: str
    component_id: str
    owner: str
    token: int
    unattended: timedelta = field(default=timedelta(), compare=False)
    taken_over: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was written: with its id, time and gap-free sequence."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    time: datetime
    event: Event


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


class Events(Protocol):
    """The event log, which is the outbox too."""

    async def append(self, execution: Execution, events: Sequence[Event]) -> None:
        """Number the events without a gap and write them; the execution must be locked."""

    async def page(self, execution_id: str, after: int, limit: int) -> list[StoredEvent]:
        """Events with a sequence above ``after``."""

    async def latest(self, execution_id: str, whats: Sequence[EventType], limit: int) -> list[StoredEvent]:
        """The newest events of these types, newest first."""

    async def tail(self, execution_id: str) -> Tail:
        """Where the log ends; read before a page, that page lacks nothing up to there.

        :raises NotFound: when there is no such execution.
        """


class Leases(Protocol):
    """The lease of a deployment: one holder at a time, by the database's clock."""

    async def take(self, tenant_id: str, component_id: str, owner: str) -> Lease | None:
        """The lease, with a higher token than any before when it changes hands; None while another holds it."""

    async def renew(self, lease: Lease) -> bool:
        """False when somebody else has taken over, or when it has ended: it has to be taken again."""

    async def require(self, lease: Lease) -> None:
        """Hold it against a take-over until this unit of work ends.

        :raises LostLease: when somebody else has taken over.
        """

    async def give_back(self, lease: Lease) -> None:
        """Free at once for the next."""


class UnitOfWork(Protocol):
    """What is saved together: leaving without ``commit`` leaves everything as it was."""

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

    async def now(self) -> datetime:
        """The database's clock, UTC: the one clock that every process shares."""

    async def at_one_moment(self) -> None:
        """Let every read that follows see the database as it is at the first of them; nothing may be written then."""

    async def commit(self) -> None:
        """Make it so; listeners are told."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ParseRequests(Protocol):
    """Asks Airflow to read an execution's dag file now."""

    async def ask(self, execution_id: str) -> None:
        """Best effort, and never fails: who leads the control loops asks again until Airflow has the DAG."""


class ReadObject(Protocol):
    """Reads the object at a location, streamed; without ``whole`` only how large it is."""

    def __call__(self, location: str, *, whole: bool = True) -> Awaitable[StoredObject]:
        """:raises OSError: it is not there or cannot be read; :raises ValueError: no location."""


NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be set from outside: hours, seconds, a version, a rule."""

    platform_version: str | None = None
    max_backup_age_hours: float = 24
    check_timeout_seconds: float = 60
    lease_seconds: float = 10
    worker_places: int = 1
    four_eyes: bool = True
    stream_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a use case may be handed; made by bootstrap, never at import."""

    work: Callable[[], UnitOfWork]
    fleets: Fleets
    signals: Signals
    parse_requests: ParseRequests
    runs: AirflowRuns
    human_tasks: HumanTasks
    read_object: ReadObject
    new_id: NewId
    limits: Limits
    outbox: Outbox
    kept_answers: KeptAnswers
    live: LiveFeed
    followers: Followers
    metrics: Metrics
    notices: Notices
    task_ends: TaskEnds
