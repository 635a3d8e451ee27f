"""The commands of an operator, their precedence, and the statuses that allow them (specification section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus

S = ExecutionStatus


class Command(StrEnum):
    """The commands, strongest first: when several arrive, the one named earlier wins."""

    CANCEL = "cancel"
    "Start nothing new, finish what is in flight; versions stay mixed."
    ROLLBACK = "rollback"
    "Return every touched instance to its own previous version."
    PAUSE = "pause"
    "Start nothing new until RESUME; what is in flight finishes."
    PROMOTE = "promote-canary"
    "Upgrade the other instances after the canaries."
    RESUME = "resume"
    "Continue where the pause began."
    START = "start"
    "Run the checks; the work begins once they have passed."
    APPROVE = "approve"
    "Let the stage begin that waits for a decision."
    REJECT = "reject"
    "End the upgrade before that stage: a rollback if it is automatic, else a cancel."
    RETRY = "retry"
    "Create a new execution for the instances that this ended one did not complete."
    REVERT = "revert"
    "Create a new execution that brings the instances of this ended one back to their previous versions."
    RELEASE = "release"
    "Settle an ended execution at once, by what is recorded: its place is free, whatever the fleet does."


class Decision(StrEnum):
    """The decision on a stage; only a person makes it, there is no time-out."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"

    @property
    def command(self) -> Command:
        """The command that makes this decision."""
        return Command.APPROVE if self is Decision.APPROVED else Command.REJECT


class Source(StrEnum):
    """Where a command came from; stored in the audit."""

    API = "API"
    "The REST API, called with a token."
    UI = "UI"
    "A page of the status view, or Airflow's own UI (a paused DAG, the answer to an approval)."
    DAG = "DAG"
    "The DAG that requests upgrades."
    SYSTEM = "SYSTEM"
    "The product itself, such as an automatic rollback."


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: the user's name (or "system"), the source, and the request's id as in the log."""

    name: str
    source: Source = Source.API
    request_id: str | None = None


SYSTEM = Actor("system", Source.SYSTEM)

ALLOWED_FROM: dict[Command, frozenset[ExecutionStatus]] = {
    Command.START: frozenset({S.PENDING}),
    Command.PAUSE: frozenset({S.IN_PROGRESS, S.CANARY_RUNNING}),
    Command.RESUME: frozenset({S.PAUSED}),
    Command.CANCEL: frozenset(ExecutionStatus) - TERMINAL,
    Command.PROMOTE: frozenset({S.CANARY_MONITORING}),
    Command.ROLLBACK: frozenset({S.IN_PROGRESS, S.CANARY_MONITORING, S.PAUSED, S.CANARY_RUNNING}),
    Command.APPROVE: frozenset({S.IN_PROGRESS}),
    Command.REJECT: frozenset({S.IN_PROGRESS}),
    Command.RETRY: frozenset({S.FAILED, S.CANCELLED}),
    Command.REVERT: frozenset({S.COMPLETED, S.FAILED, S.CANCELLED}),
    Command.RELEASE: TERMINAL,
}


def require_allowed(command: Command, status: ExecutionStatus) -> None:
    """Check that ``status`` allows ``command``.

    :raises InvalidState: it does not; ``allowedFrom`` names the statuses that do.
    """
    allowed = ALLOWED_FROM[command]
    if status not in allowed:
        raise InvalidState(command.value, status.value, [each.value for each in ExecutionStatus if each in allowed])
