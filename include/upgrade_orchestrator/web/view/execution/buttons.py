"""The buttons of an execution's page, each with its question, its impact and the path of its command."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from upgrade_orchestrator.domain.approval.approval import needs_approval
from upgrade_orchestrator.domain.execution.commands import Command
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.lifecycle.revert import Refusal, refusal_of
from upgrade_orchestrator.domain.operations.available_actions import AvailableAction, available_actions
from upgrade_orchestrator.domain.operations.impact import ImpactInput, impact_of
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.plan.plan import PlannedBatch
from upgrade_orchestrator.service.views.detail import ExecutionDetail

WORDS: dict[Command, tuple[str, str]] = {
    Command.START: ("Start", "Start this upgrade?"),
    Command.PAUSE: ("Pause", "Pause this upgrade?"),
    Command.RESUME: ("Resume", "Resume this upgrade?"),
    Command.CANCEL: ("Cancel upgrade", "Cancel this upgrade?"),
    Command.PROMOTE: ("Promote", "Promote the canary?"),
    Command.ROLLBACK: ("Roll back", "Roll this upgrade back?"),
    Command.APPROVE: ("Approve", "Approve the next stage?"),
    Command.REJECT: ("Reject", "Reject the next stage?"),
    Command.RETRY: ("Retry", "Retry what did not complete?"),
    Command.REVERT: ("Revert …", "Bring the instances back to their previous versions?"),
    Command.RELEASE: ("Release", "Free the place of this ended upgrade now?"),
}
"The button's label and the dialog's question."
_GRAVE = frozenset({Command.CANCEL, Command.ROLLBACK, Command.REJECT, Command.REVERT, Command.RELEASE})
_DECISIONS = frozenset({Command.APPROVE, Command.REJECT})
_IN_BODY = _DECISIONS | {Command.REVERT, Command.RELEASE}
"Commands whose reason is sent in the body; the others take it as a query parameter, and START takes none."


@dataclass(frozen=True, slots=True)
class Button:
    """A command that is available now."""

    action: AvailableAction
    label: str
    question: str
    impact: Sequence[str]
    path: str
    """The command's path, relative to the execution."""
    reason: str
    """How the reason is sent: body, query, or not at all ("")."""
    stage: PlannedBatch | None

    @property
    def name(self) -> str:
        """The command's name in the API."""
        return self.action.command.value

    @property
    def destructive(self) -> bool:
        """Whether the command cannot be undone."""
        return self.action.command in _GRAVE or self.action.needs_force


def buttons(detail: ExecutionDetail, permissions: Collection[Permission], caller: str, four_eyes: bool) -> list[Button]:
    """The available commands, the recommended one first."""
    awaits = detail.view.awaits
    given = ImpactInput(detail.execution, detail.plan, detail.instances, awaits)
    found = available_actions(detail.execution, awaits, permissions, caller, four_eyes, _not_reverted(detail))
    return [_button(each, given) for each in found]


def _not_reverted(detail: ExecutionDetail) -> Refusal | None:
    execution = detail.execution
    if execution.settled_at is None:
        return Refusal("it is possible once nothing is in flight any more and the place is free")
    if refusal := refusal_of(execution, detail.newer):
        return refusal
    if execution.retry_of is None and all(each.status is InstanceStatus.PENDING for each in detail.instances):
        return Refusal("nothing was touched, so there is nothing to bring back")
    return None


def _button(action: AvailableAction, given: ImpactInput) -> Button:
    command = action.command
    label, question = WORDS[command]
    return Button(
        action=action,
        label=f"{label} …" if action.needs_force else label,
        question="Promote unhealthy canaries?" if action.needs_force else question,
        impact=impact_of(command, given),
        path=_path(command, given),
        reason="" if command is Command.START else "body" if command in _IN_BODY else "query",
        stage=_stage(given) if command in _DECISIONS else None,
    )


def _path(command: Command, given: ImpactInput) -> str:
    if command in _DECISIONS and given.awaits is not None:
        return f"stages/{given.awaits.stage}/{command.value}"
    return command.value


def _stage(given: ImpactInput) -> PlannedBatch | None:
    wanted = given.awaits.stage if given.awaits is not None else 0
    batches = (each for each in given.plan.batches if needs_approval(given.plan, each.number))
    return next((each for each in batches if each.number == wanted), None)
