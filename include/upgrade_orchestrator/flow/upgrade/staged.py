"""STAGED: the task before a stage that asks for approval in Airflow's UI and follows the stored decision."""

from __future__ import annotations

from functools import partial
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.airflow.stage_tasks import MAX_REASON_LENGTH, answer_given
from upgrade_orchestrator.domain.approval.approval import StageState
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.flow.upgrade.operators import end_task_like
from upgrade_orchestrator.flow.upgrade.triggers import WorkTrigger
from upgrade_orchestrator.service.approvals.decide import question_about, request_approval
from upgrade_orchestrator.service.approvals.ui_responses import answer_in_ui
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import complete_step

ANSWER_WAIT_SECONDS = 4.0
"How long a worker waits until the response is checked, which takes about a second."
REASON = Param(
    None,
    type=["null", "string"],
    maxLength=MAX_REASON_LENGTH,
    title="Reason",
    description="Kept with the decision.",
)


class AskAgain(AirflowException):
    """The response did not count: Airflow's retry asks again, with the reason."""


class ApproveStageOperator(ApprovalOperator):
    """Asks before ``stage``; it has no default and no time-out, because waiting must never approve.

    A response is stored and checked like a call of the API. A decision that was made elsewhere takes precedence.
    """

    ui_color = "#fff4d6"

    def __init__(self, *, execution_id: str, stage: int, **kwargs: Any) -> None:
        super().__init__(subject=f"Stage {stage}", params={"reason": REASON}, **kwargs)
        self.execution_id, self.stage = execution_id, stage

    def execute(self, context: Any) -> None:
        """Ask, unless no decision is needed (any more). The task then waits without a worker."""
        match self._request():
            case StageState.EARLY:  # a person marked the task of the previous stage as done
                self._defer_to(StepKind.BATCH, self.stage - 1, "ask_after_work")
            case StageState.ASKED:
                self._ask(context)
            case StageState.ANSWERED:  # an earlier try stored the response and died before it was checked
                self._wait_for_answer()
            case StageState.OVER:
                self._leave()

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:
        """A person has responded in the UI, or the decision was made elsewhere and we responded on Airflow's row."""
        response = (event["responded_by_user"], event["responded_at"], event["chosen_options"], event["params_input"])
        given = answer_given(*response)
        if given is not None:
            store = partial(answer_in_ui, execution_id=self.execution_id, stage=self.stage, given=given)
            bootstrap.run(store)
        self._wait_for_answer()

    def ask_after_work(self, context: Any, event: dict[str, str]) -> None:
        """Called when the previous stage has ended."""
        if Ending(event["ending"]) is Ending.STOPPED:
            self._leave()
        self.execute(context)

    def resume_after_answer(self, context: Any, event: dict[str, str]) -> None:
        """Called when the triggerer has seen the response checked."""
        self._conclude(Outcome(Ending(event["ending"]), event["reason"]))

    def _ask(self, context: Any) -> None:
        question = bootstrap.run(partial(question_about, execution_id=self.execution_id, stage=self.stage))
        # set here and not when the DAG is built, since texts of the registry must not be rendered as templates
        self.subject, self.body = question.subject, question.body
        super().execute(context)

    def _request(self) -> StageState:
        return bootstrap.run(partial(request_approval, execution_id=self.execution_id, stage=self.stage))

    def _wait_for_answer(self) -> None:
        work = partial(complete_step, execution_id=self.execution_id, step=Step(StepKind.WAIT_FOR_ANSWER, self.stage))
        outcome = bootstrap.run(partial(work, seconds=ANSWER_WAIT_SECONDS))
        if outcome.ending is Ending.UNFINISHED:
            self._defer_to(StepKind.WAIT_FOR_ANSWER, self.stage, "resume_after_answer")
        self._conclude(outcome)

    def _conclude(self, outcome: Outcome) -> None:
        if outcome.ending is Ending.DONE:
            return
        if self._request() is not StageState.OVER:
            raise AskAgain(outcome.reason)
        self._leave()

    def _leave(self) -> None:
        end_task_like(bootstrap.run(partial(find_execution, execution_id=self.execution_id)))

    def _defer_to(self, work: StepKind, batch: int, method_name: str) -> None:
        self.defer(trigger=WorkTrigger(self.execution_id, work.value, batch), method_name=method_name)
