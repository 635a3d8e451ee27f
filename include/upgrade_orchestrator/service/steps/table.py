"""Each step with what has to be done before it, and its use case (specification section 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.approvals.decide import wait_for_answer, wait_for_decision
from upgrade_orchestrator.service.blue_green.cutover import run_cutover
from upgrade_orchestrator.service.checks.run import validate
from upgrade_orchestrator.service.finalize.finalize import end_upgrade
from upgrade_orchestrator.service.finalize.rollback import confirm, roll_back
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.canary import monitor_canary
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.outcome import Outcome
from upgrade_orchestrator.service.upgrade.ensure import wait_for_end


@dataclass(frozen=True, slots=True)
class StepCall:
    """The arguments of a use case: ``step`` is worked on for about ``seconds`` (None: to its end)."""

    ports: Ports
    context: Context
    step: Step
    seconds: float | None

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.context.execution.id


class Prerequisite(Enum):
    """What has to be done before a step, also when a person marked an earlier task as done."""

    EARLIER_STEPS = "EARLIER_STEPS"
    "Every step that comes before it in the plan."
    NOTHING = "NOTHING"
    "Nothing: the execution's status decides whether there is anything to do."


UseCase = Callable[[StepCall], Awaitable[Outcome]]
EARLIER, NOTHING = Prerequisite.EARLIER_STEPS, Prerequisite.NOTHING

STEPS: dict[StepKind, tuple[Prerequisite, UseCase]] = {
    StepKind.VALIDATE: (EARLIER, lambda call: validate(call.ports, call.id, call.seconds)),
    StepKind.APPROVAL: (EARLIER, lambda call: wait_for_decision(call.ports, call.id, call.step.batch, call.seconds)),
    StepKind.BATCH: (
        EARLIER,
        lambda call: run_batch(call.ports, call.context, call.step.batch, call.seconds, call.step.last),
    ),
    StepKind.MONITOR: (EARLIER, lambda call: monitor_canary(call.ports, call.context, call.seconds)),
    StepKind.CHECK_GREEN: (EARLIER, lambda call: run_cutover(call.ports, call.context, Goal.CHECKED, call.seconds)),
    StepKind.SWITCH_TRAFFIC: (EARLIER, lambda call: run_cutover(call.ports, call.context, Goal.SWITCHED, call.seconds)),
    StepKind.SOAK: (EARLIER, lambda call: run_cutover(call.ports, call.context, Goal.SOAKED, call.seconds)),
    StepKind.RETIRE_BLUE: (EARLIER, lambda call: run_cutover(call.ports, call.context, Goal.RETIRED, call.seconds)),
    StepKind.VERIFY: (EARLIER, lambda call: verify(call.ports, call.context, call.seconds)),
    StepKind.WAIT_FOR_ANSWER: (
        NOTHING,
        lambda call: wait_for_answer(call.ports, call.id, call.step.batch, call.seconds),
    ),
    StepKind.REVERT: (NOTHING, lambda call: roll_back(call.ports, call.context, call.seconds)),
    StepKind.CONFIRM: (NOTHING, lambda call: confirm(call.ports, call.context)),
    StepKind.END: (NOTHING, lambda call: end_upgrade(call.ports, call.context, call.seconds)),
    StepKind.WAIT_FOR_END: (NOTHING, lambda call: wait_for_end(call.ports, call.id, call.seconds)),
}
