"""Which events are sent to people through Airflow notifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.events.event_metrics import RecordedEvent
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


class NoticeKind(StrEnum):
    """The kinds of notices; notifiers are configured by these names."""

    APPROVAL_REQUESTED = "approval-requested"
    "A stage waits for an approval."
    FAILED = "failed"
    "An execution FAILED."
    ROLLED_BACK = "rolled-back"
    "An execution is ROLLED_BACK."


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of one event; the event's execution and sequence identify it."""

    kind: NoticeKind
    execution_id: str
    sequence: int
    time: datetime
    data: Mapping[str, object]

    @property
    def key(self) -> str:
        """The identity of the notice: it is the same each time the same event is read."""
        return f"{self.execution_id}__{self.sequence}"


_ENDS = {ExecutionStatus.FAILED: NoticeKind.FAILED, ExecutionStatus.ROLLED_BACK: NoticeKind.ROLLED_BACK}
NOTICED = frozenset({EventType.STATUS_CHANGED, EventType.APPROVAL_REQUESTED})
"The event types that may lead to a notice."
NOTICE_DAG_PREFIX = "upgrade_notify__"


def notice_dag(kind: NoticeKind) -> str:
    """The DAG that sends notices of this kind, one run for each notice."""
    return NOTICE_DAG_PREFIX + kind.value


def notice_of(recorded: RecordedEvent) -> Notice | None:
    """The notice that follows from the event; None for most events."""
    kind: NoticeKind | None = NoticeKind.APPROVAL_REQUESTED
    if recorded.what is EventType.STATUS_CHANGED:
        kind = _ENDS.get(ExecutionStatus(str(recorded.data["to"])))
    if kind is None:
        return None
    return Notice(kind, recorded.execution_id, recorded.sequence, recorded.time, recorded.data)
