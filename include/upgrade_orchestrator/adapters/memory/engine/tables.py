"""Tables of rows by key, and the row types that are not values of the domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.checks.checks import CheckResult
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.plan import Plan
from upgrade_orchestrator.domain.registry.entries import Backup, Component, ComponentVersion, Deployment, UpgradePath
from upgrade_orchestrator.service.ports.idempotency import StoredResponse
from upgrade_orchestrator.service.ports.outbox import RelayState

Key = tuple[str | int, ...]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ExecutionRow:
    """An execution, its frozen plan, and the number of its last event."""

    execution: Execution
    plan: Plan
    last_sequence: int = 0


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event; ``data`` is JSON text, so that each reader gets its own copy."""

    id: str
    execution_id: str
    tenant_id: str
    sequence: int
    what: str
    time: datetime
    data: str
    published_at: datetime | None = None
    parked_at: datetime | None = None
    parked_reason: str | None = None

    @property
    def waits(self) -> bool:
        """Whether the event is still in the outbox."""
        return self.published_at is None and self.parked_at is None


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The holder of a deployment's lease and its expiry; free when ``owner`` is empty."""

    owner: str
    token: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command of the audit; ``detail`` is JSON text."""

    id: str
    execution_id: str
    command: str
    actor: str
    source: str
    reason: str | None
    detail: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An Idempotency-Key in use, and the response once there is one."""

    actor: str
    key: str
    fingerprint: str
    created_at: datetime
    answer: StoredResponse | None = None


@dataclass(frozen=True, slots=True)
class RelayRow:
    """The state that the relay reported last."""

    state: RelayState
    detail: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A table's name, with the type of its rows."""

    name: str


COMPONENT: Table[Component] = Table("component")
COMPONENT_VERSION: Table[ComponentVersion] = Table("component_version")
UPGRADE_PATH: Table[UpgradePath] = Table("upgrade_path")
DEPLOYMENT: Table[Deployment] = Table("deployment")
BACKUP: Table[Backup] = Table("backup")
EXECUTION: Table[ExecutionRow] = Table("execution")
INSTANCE: Table[Instance] = Table("instance")
ROLLBACK_INSTANCE: Table[Instance] = Table("rollback_instance")
BATCH: Table[Batch] = Table("batch")
APPROVAL: Table[Approval] = Table("approval")
CHECK_RESULT: Table[CheckResult] = Table("check_result")
COMMAND: Table[CommandRow] = Table("command")
EVENT: Table[EventRow] = Table("event")
LEASE: Table[LeaseRow] = Table("lease")
IDEMPOTENCY_KEY: Table[KeyRow] = Table("idempotency_key")
FOLLOWED: Table[int] = Table("followed")
FOLLOWER: Table[datetime] = Table("follower")
RELAY: Table[RelayRow] = Table("relay")


class Tables:
    """Rows by table and key, grouped by the first part of the key. None stands for a deleted row."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str | int, dict[Key, Any]]] = defaultdict(lambda: defaultdict(dict))

    def has(self, name: str, key: Key) -> bool:
        """Whether it has an entry for the row, even as deleted."""
        return key in self._rows[name].get(key[0], ())

    def get(self, name: str, key: Key) -> Any:
        """The row or None."""
        return self._rows[name].get(key[0], {}).get(key)

    def put(self, name: str, key: Key, row: Any) -> None:
        """Write or replace."""
        self._rows[name][key[0]][key] = row

    def drop(self, name: str, key: Key) -> None:
        """Remove the entry."""
        self._rows[name].get(key[0], {}).pop(key, None)

    def of(self, name: str, first: str | int | None) -> Iterator[tuple[Key, Any]]:
        """The rows of a table, or only those whose key begins with ``first``."""
        groups = self._rows[name]
        for group in groups.values() if first is None else [groups.get(first, {})]:
            yield from group.items()

    def all(self) -> Iterator[tuple[str, Key, Any]]:
        """Every row of every table."""
        for name in self._rows:
            for key, row in self.of(name, None):
                yield name, key, row

    def copy(self) -> Tables:
        """A copy of all rows as they are now."""
        copied = Tables()
        for name, groups in self._rows.items():
            for first, group in groups.items():
                copied._rows[name][first] = dict(group)
        return copied
