"""Each step with what has to be done before it, and its use case (specification section 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.approvals.decide import wait_for_decision, wait_for_judgement
from upgrade_orchestrator.service.blue_green.cutover import run_cutover
from upgrade_orchestrator.service.checks.run import validate
from upgrade_orchestrator.service.finalize.finalize import end_upgrade
from upgrade_orchestrator.service.finalize.rollback import confirm, revert
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.canary import monitor_canary
from upgrade_orchestrator.service.rollout.verification import verify
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.outcome import Outcome
from upgrade_orchestrator.service.upgrade.ensure import wait_for_end


@dataclass(frozen=True, slots=True)
class Call:
    """A use case is called with: work on ``step`` for about ``seconds`` (None: to its end)."""

    ports: Ports
    context: Context
    step: Step
    seconds: float | None

    @property
    def id(self) -> str:
        """The execution's."""
        return self.context.execution.id


class Before(Enum):
    """What has to be done before a step, also when its task was marked as done by hand."""

    EARLIER_STEPS = "EARLIER_STEPS"
    "Every step that comes before it in the plan."
    NOTHING = "NOTHING"
    "It is no step forward: the execution's status says whether there is anything to do."


UseCase = Callable[[Call], Awaitable[Outcome]]
EARLIER, NOTHING = Before.EARLIER_STEPS, Before.NOTHING

STEPS: dict[StepKind, tuple[Before, UseCase]] = {
    StepKind.VALIDATE: (EARLIER, lambda to: validate(to.ports, to.id, to.seconds)),
    StepKind.APPROVAL: (EARLIER, lambda to: wait_for_decision(to.ports, to.id, to.step.batch, to.seconds)),
    StepKind.BATCH: (EARLIER, lambda to: run_batch(to.ports, to.context, to.step.batch, to.seconds, to.step.last)),
    StepKind.MONITOR: (EARLIER, lambda to: monitor_canary(to.ports, to.context, to.seconds)),
    StepKind.CHECK_GREEN: (EARLIER, lambda to: run_cutover(to.ports, to.context, Goal.CHECKED, to.seconds)),
    StepKind.SWITCH_TRAFFIC: (EARLIER, lambda to: run_cutover(to.ports, to.context, Goal.SWITCHED, to.seconds)),
    StepKind.SOAK: (EARLIER, lambda to: run_cutover(to.ports, to.context, Goal.SOAKED, to.seconds)),
    StepKind.RETIRE_BLUE: (EARLIER, lambda to: run_cutover(to.ports, to.context, Goal.RETIRED, to.seconds)),
    StepKind.VERIFY: (EARLIER, lambda to: verify(to.ports, to.id, to.seconds)),
    StepKind.JUDGEMENT: (NOTHING, lambda to: wait_for_judgement(to.ports, to.id, to.step.batch, to.seconds)),
    StepKind.REVERT: (NOTHING, lambda to: revert(to.ports, to.context, to.seconds)),
    StepKind.CONFIRM: (NOTHING, lambda to: confirm(to.ports, to.context)),
    StepKind.END: (NOTHING, lambda to: end_upgrade(to.ports, to.context, to.seconds)),
    StepKind.FOLLOW: (NOTHING, lambda to: wait_for_end(to.ports, to.id, to.seconds)),
}
