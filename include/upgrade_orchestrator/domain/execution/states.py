"""The execution's lifecycle: the table of its transitions and what follows from it (specification section 3)."""

from __future__ import annotations

from enum import StrEnum


class ExecutionStatus(StrEnum):
    """The status of an execution; each member says what it means and what comes next."""

    PENDING = "PENDING"
    "Created and planned, nothing touched; start leads to VALIDATING."
    VALIDATING = "VALIDATING"
    "The pre-upgrade checks run in Airflow; they decide between the work and FAILED."
    IN_PROGRESS = "IN_PROGRESS"
    "Batches are worked on, or an approval is awaited; ends with verification."
    CANARY_RUNNING = "CANARY_RUNNING"
    "The canary instances get the new version; the monitor polls them next."
    CANARY_MONITORING = "CANARY_MONITORING"
    "The canaries are polled until they are promoted or rolled back."
    PAUSED = "PAUSED"
    "No new work starts and no time-out runs; instances in flight finish; resume continues from here."
    ROLLING_BACK = "ROLLING_BACK"
    "Touched instances return to their previous versions; a rollback is never itself rolled back."
    ROLLED_BACK = "ROLLED_BACK"
    "Every touched instance is back on its previous version; terminal."
    COMPLETED = "COMPLETED"
    "All instances run the target version, verified; terminal."
    FAILED = "FAILED"
    "Ended with errors, instances may be on either version; terminal."
    CANCELLED = "CANCELLED"
    "Ended by an operator, instances may be on either version; terminal."


S = ExecutionStatus

TRANSITIONS: dict[ExecutionStatus, frozenset[ExecutionStatus]] = {
    S.PENDING: frozenset({S.VALIDATING, S.CANCELLED}),
    S.VALIDATING: frozenset({S.IN_PROGRESS, S.CANARY_RUNNING, S.FAILED, S.CANCELLED}),
    S.IN_PROGRESS: frozenset({S.PAUSED, S.COMPLETED, S.FAILED, S.ROLLING_BACK, S.CANCELLED}),
    S.CANARY_RUNNING: frozenset({S.CANARY_MONITORING, S.PAUSED, S.FAILED, S.CANCELLED}),
    S.CANARY_MONITORING: frozenset({S.IN_PROGRESS, S.ROLLING_BACK, S.CANCELLED}),
    S.PAUSED: frozenset({S.IN_PROGRESS, S.CANARY_RUNNING, S.CANCELLED}),
    S.ROLLING_BACK: frozenset({S.ROLLED_BACK, S.FAILED, S.CANCELLED}),
    S.ROLLED_BACK: frozenset(),
    S.COMPLETED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}

TERMINAL: frozenset[ExecutionStatus] = frozenset(status for status, goes_to in TRANSITIONS.items() if not goes_to)
MAY_START: frozenset[ExecutionStatus] = frozenset({S.IN_PROGRESS, S.CANARY_RUNNING})
"The statuses in which a new instance may be started towards the target version."


def is_terminal(status: ExecutionStatus) -> bool:
    """True when no transition leads out of ``status``."""
    return status in TERMINAL


def sources_of(target: ExecutionStatus) -> list[ExecutionStatus]:
    """The statuses from which ``target`` can be reached in one step, in lifecycle order."""
    return [status for status in ExecutionStatus if target in TRANSITIONS[status]]
