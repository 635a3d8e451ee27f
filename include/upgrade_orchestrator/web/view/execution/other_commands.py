"""Why a command has no button on an execution's page: the status does not accept it, or the caller may not give it."""

from __future__ import annotations

from collections.abc import Collection

from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Command
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import PERMISSION_OF, ROLES, Permission
from upgrade_orchestrator.web.view.execution.buttons import WORDS
from upgrade_orchestrator.web.view.words import STATUS

_ONLY: dict[Command, Strategy] = {
    Command.PROMOTE: Strategy.CANARY,
    Command.APPROVE: Strategy.STAGED,
    Command.REJECT: Strategy.STAGED,
}
"Commands of one strategy: the other ones do not know them."
_WITHOUT_STATUS: dict[Command, str] = {
    Command.APPROVE: "only while a stage waits for an approval",
    Command.REJECT: "only while a stage waits for an approval",
    Command.RELEASE: "not needed: the upgrade is settled, its place is free",
}
"Why the status is not enough."


def other_commands(
    execution: Execution, offered: Collection[Command], permissions: Collection[Permission]
) -> list[tuple[str, str]]:
    """The label of each command that is not ``offered``, and why; in the order of the labels' table."""
    known = [each for each in WORDS if _ONLY.get(each, execution.request.strategy) is execution.request.strategy]
    return [(WORDS[each][0], _why(each, execution, permissions)) for each in known if each not in offered]


def _why(command: Command, execution: Execution, permissions: Collection[Permission]) -> str:
    needed, allowed = PERMISSION_OF[command], ALLOWED_FROM[command]
    parts = []
    if execution.status not in allowed:
        parts.append(f"only {_while(allowed)}")
    if needed not in permissions:
        parts.append(f"your role may not: {_roles(needed)} may")
    return "; ".join(parts) or _WITHOUT_STATUS.get(command, "not possible for this upgrade now")


def _while(allowed: Collection[ExecutionStatus]) -> str:
    if allowed == TERMINAL:
        return "after the end"
    if allowed == frozenset(ExecutionStatus) - TERMINAL:
        return "before the end"
    names = [STATUS[each].words for each in ExecutionStatus if each in allowed]
    return f"while it is {_joined(names)}"


def _roles(needed: Permission) -> str:
    return _joined([role.value for role, held in ROLES.items() if needed in held])


def _joined(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
