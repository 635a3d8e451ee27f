"""The available actions: which commands the status and the caller allow now, for the buttons of the status view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.revert import Refusal
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, Permission

S, C = ExecutionStatus, Command

REQUIRES_REASON = frozenset({C.CANCEL, C.ROLLBACK, C.APPROVE, C.REJECT, C.REVERT, C.RELEASE})
"Commands for which the status view asks for a reason, because they are looked up later."
_RECOMMENDED: dict[ExecutionStatus, Command] = {
    S.PENDING: C.START,
    S.IN_PROGRESS: C.PAUSE,
    S.CANARY_RUNNING: C.PAUSE,
    S.PAUSED: C.RESUME,
    S.FAILED: C.RETRY,
    S.CANCELLED: C.RETRY,
}
"The usual next command in each status; of canaries it depends on their health."
_ORDER = (
    C.START,
    C.APPROVE,
    C.PROMOTE,
    C.RESUME,
    C.RETRY,
    C.PAUSE,
    C.REJECT,
    C.ROLLBACK,
    C.CANCEL,
    C.REVERT,
    C.RELEASE,
)
_DECISIONS = frozenset({C.APPROVE, C.REJECT})


@dataclass(frozen=True, slots=True)
class AvailableAction:
    """A command that the status allows now."""

    command: Command
    recommended: bool
    requires_reason: bool
    needs_force: bool = False
    """The canaries are unhealthy, so the caller has to confirm a forced promotion."""
    denied_because: str | None = None
    """Why this caller may not give it, although the role may; or why it has nothing to do."""
    see: str | None = None
    """The execution that the reason names."""


def available_actions(
    execution: Execution,
    awaits: Approval | None,
    permissions: Collection[Permission],
    caller: str,
    four_eyes: bool = True,
    not_reverted: Refusal | None = None,
) -> list[AvailableAction]:
    """The commands that the status and the permissions allow, the recommended one first.

    ``not_reverted``: why the ended execution cannot be reverted.
    """
    found = [each for each in _ORDER if _is_open(each, execution, awaits) and PERMISSION_OF[each] in permissions]
    denied_because = {each: _denied_because(each, execution, caller, four_eyes) for each in found}
    if C.REVERT in denied_because and not_reverted is not None:
        denied_because[C.REVERT] = _sentence(not_reverted.why)
    recommended = _recommended(execution, [each for each in found if denied_because[each] is None])
    made = [
        AvailableAction(
            command=each,
            recommended=each is recommended,
            requires_reason=each in REQUIRES_REASON,
            needs_force=each is C.PROMOTE and execution.canary.healthy is False,
            denied_because=denied_because[each],
            see=not_reverted.see if each is C.REVERT and not_reverted is not None else None,
        )
        for each in found
    ]
    return sorted(made, key=lambda each: not each.recommended)


def _is_open(command: Command, execution: Execution, awaits: Approval | None) -> bool:
    if execution.status not in ALLOWED_FROM[command]:
        return False
    if command is C.RELEASE:
        return execution.settled_at is None
    return command not in _DECISIONS or awaits is not None


def _recommended(execution: Execution, found: Collection[Command]) -> Command | None:
    if C.APPROVE in found:
        return C.APPROVE
    if execution.status is S.CANARY_MONITORING:
        return _for_canaries(execution, found)
    wanted = _RECOMMENDED.get(execution.status)
    return wanted if wanted in found else None


def _for_canaries(execution: Execution, found: Collection[Command]) -> Command | None:
    """What the last look at them says; while nobody looks at them, that they were healthy recommends nothing."""
    healthy = execution.canary.healthy
    wanted = C.ROLLBACK if healthy is False else C.PROMOTE if healthy and execution.attention is None else None
    return wanted if wanted in found else None


def _denied_because(command: Command, execution: Execution, caller: str, four_eyes: bool) -> str | None:
    if command is C.APPROVE and four_eyes and caller == execution.created_by:
        return "You created this execution: another user has to approve its stages."
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
