"""What people are told of by notifiers, and which events that is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.events.event_metrics import Told
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus


class NoticeKind(StrEnum):
    """The names by which notifiers are set."""

    APPROVAL_REQUESTED = "approval-requested"
    "A stage waits for somebody's approval."
    FAILED = "failed"
    "An execution FAILED, whoever found that out."
    ROLLED_BACK = "rolled-back"
    "An execution is ROLLED_BACK."


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell, of one event: its execution and sequence are what it is known by."""

    kind: NoticeKind
    execution_id: str
    sequence: int
    time: datetime
    data: Mapping[str, object]

    @property
    def key(self) -> str:
        """The same for the same event, whoever tells of it and however often."""
        return f"{self.execution_id}__{self.sequence}"


_ENDS = {ExecutionStatus.FAILED: NoticeKind.FAILED, ExecutionStatus.ROLLED_BACK: NoticeKind.ROLLED_BACK}
NOTICED = frozenset({EventType.STATUS_CHANGED, EventType.APPROVAL_REQUESTED})
"The events that there may be a notice in."
NOTICE_DAG_PREFIX = "upgrade_notify__"


def notice_dag(kind: NoticeKind) -> str:
    """The DAG whose runs send notices of the kind, one run a notice."""
    return NOTICE_DAG_PREFIX + kind.value


def notice_in(told: Told) -> Notice | None:
    """None for most events."""
    kind: NoticeKind | None = NoticeKind.APPROVAL_REQUESTED
    if told.event.what is EventType.STATUS_CHANGED:
        kind = _ENDS.get(ExecutionStatus(str(told.event.data["to"])))
    if kind is None:
        return None
    return Notice(kind, told.execution_id, told.sequence, told.time, told.event.data)
