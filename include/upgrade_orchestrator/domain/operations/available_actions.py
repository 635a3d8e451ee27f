"""The available actions: which commands the status and the caller allow now, for the buttons of the status view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, Permission

S, C = ExecutionStatus, Command

ASKS_WHY = frozenset({C.CANCEL, C.ROLLBACK, C.APPROVE, C.REJECT})
"Commands for which the status view asks for a reason, because they are looked up later."
_FIRST: dict[ExecutionStatus, Command] = {
    S.PENDING: C.START,
    S.IN_PROGRESS: C.PAUSE,
    S.CANARY_RUNNING: C.PAUSE,
    S.CANARY_MONITORING: C.PROMOTE,
    S.PAUSED: C.RESUME,
    S.FAILED: C.RETRY,
    S.CANCELLED: C.RETRY,
}
"The usual next command in each status."
_ORDER = (C.START, C.APPROVE, C.PROMOTE, C.RESUME, C.RETRY, C.PAUSE, C.REJECT, C.ROLLBACK, C.CANCEL)
_DECISIONS = frozenset({C.APPROVE, C.REJECT})


@dataclass(frozen=True, slots=True)
class AvailableAction:
    """A command that the status allows now; ``barred`` says why this caller may not give it although the role may."""

    command: Command
    first: bool
    asks_why: bool
    forced: bool = False
    """The canaries are unhealthy, so the caller has to confirm a forced promotion."""
    barred: str | None = None


def available_actions(
    execution: Execution,
    awaits: Approval | None,
    permissions: Collection[Permission],
    caller: str,
    four_eyes: bool = True,
) -> list[AvailableAction]:
    """The commands that the status and the permissions allow, the recommended one first."""
    found = [each for each in _ORDER if _is_open(each, execution, awaits) and PERMISSION_OF[each] in permissions]
    barred = {each: _barred(each, execution, caller, four_eyes) for each in found}
    first = _first(execution, [each for each in found if barred[each] is None])
    made = [
        AvailableAction(
            command=each,
            first=each is first,
            asks_why=each in ASKS_WHY,
            forced=each is C.PROMOTE and execution.canary.healthy is False,
            barred=barred[each],
        )
        for each in found
    ]
    return sorted(made, key=lambda each: not each.first)


def _is_open(command: Command, execution: Execution, awaits: Approval | None) -> bool:
    if execution.status not in ALLOWED_FROM[command]:
        return False
    return command not in _DECISIONS or awaits is not None


def _first(execution: Execution, found: Collection[Command]) -> Command | None:
    if C.APPROVE in found:
        return C.APPROVE
    if execution.status is S.CANARY_MONITORING and execution.canary.healthy is not True:
        return C.ROLLBACK if execution.canary.healthy is False and C.ROLLBACK in found else None
    wanted = _FIRST.get(execution.status)
    return wanted if wanted in found else None


def _barred(command: Command, execution: Execution, caller: str, four_eyes: bool) -> str | None:
    if command is C.APPROVE and four_eyes and caller == execution.created_by:
        return "You created this execution: another user has to approve its stages."
    return None
