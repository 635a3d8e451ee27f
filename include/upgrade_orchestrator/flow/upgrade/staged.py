"""STAGED: the task before a stage that asks people in the Airflow UI, and goes by the one decision there is."""

from __future__ import annotations

from functools import partial
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.domain.airflow.stage_tasks import MOST_OF_REASON, answer_given
from upgrade_orchestrator.domain.approval.approval import StageState
from upgrade_orchestrator.domain.plan.steps import Step, Work
from upgrade_orchestrator.flow.upgrade.operators import leave
from upgrade_orchestrator.flow.upgrade.triggers import WorkTrigger
from upgrade_orchestrator.service.approvals.decide import question_about, request_approval
from upgrade_orchestrator.service.approvals.ui_responses import answer_in_ui
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import work_on

JUDGED_WITHIN_SECONDS = 4.0
"How long the judgement is waited for in the worker: it takes about a second."
REASON = Param(
    None,
    type=["null", "string"],
    maxLength=MOST_OF_REASON,
    title="Reason",
    description="Kept with the decision.",
)


class AskAgain(AirflowException):
    """The answer did not count: Airflow's retry asks anew, and says why."""


class ApproveStageOperator(ApprovalOperator):
    """Asks before ``stage``; without default and without time-out, for nothing is approved by waiting.

    What people answer here is kept and judged like a call of the API. Whatever was decided elsewhere goes first.
    """

    ui_color = "#fff4d6"

    def __init__(self, *, execution_id: str, stage: int, **kwargs: Any) -> None:
        super().__init__(subject=f"Stage {stage}", params={"reason": REASON}, **kwargs)
        self.execution_id, self.stage = execution_id, stage

    def execute(self, context: Any) -> None:
        """Ask, unless there is nothing to ask (any more): the task then waits without a worker."""
        match self._request():
            case StageState.EARLY:  # somebody took the task of the stage before for done
                self._defer_to(Work.BATCH, self.stage - 1, "ask_after_work")
            case StageState.ASKED:
                self._ask(context)
            case StageState.ANSWERED:  # by this task, which did not live to hear what came of it
                self._judge()
            case StageState.OVER:
                self._leave()

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:
        """Somebody has answered in the UI, or the question was settled elsewhere and Airflow's row answered for us."""
        said = (event["responded_by_user"], event["responded_at"], event["chosen_options"], event["params_input"])
        given = answer_given(*said)
        if given is not None:
            kept = partial(answer_in_ui, execution_id=self.execution_id, stage=self.stage, given=given)
            bootstrap.run(kept)
        self._judge()

    def ask_after_work(self, context: Any, event: dict[str, str]) -> None:
        """The stage before has come to its end."""
        if Ending(event["ending"]) is Ending.STOPPED:
            self._leave()
        self.execute(context)

    def resume_after_judgement(self, context: Any, event: dict[str, str]) -> None:
        """The triggerer has seen what became of the answer."""
        self._conclude(Outcome(Ending(event["ending"]), event["reason"]))

    def _ask(self, context: Any) -> None:
        question = bootstrap.run(partial(question_about, execution_id=self.execution_id, stage=self.stage))
        # set here and not when the DAG is built: texts of the registry must not be taken for templates
        self.subject, self.body = question.subject, question.body
        super().execute(context)

    def _request(self) -> StageState:
        return bootstrap.run(partial(request_approval, execution_id=self.execution_id, stage=self.stage))

    def _judge(self) -> None:
        work = partial(work_on, execution_id=self.execution_id, step=Step(Work.JUDGEMENT, self.stage))
        outcome = bootstrap.run(partial(work, seconds=JUDGED_WITHIN_SECONDS))
        if outcome.ending is Ending.UNFINISHED:
            self._defer_to(Work.JUDGEMENT, self.stage, "resume_after_judgement")
        self._conclude(outcome)

    def _conclude(self, outcome: Outcome) -> None:
        if outcome.ending is Ending.DONE:
            return
        if self._request() is not StageState.OVER:
            raise AskAgain(outcome.reason)
        self._leave()

    def _leave(self) -> None:
        leave(bootstrap.run(partial(find_execution, execution_id=self.execution_id)))

    def _defer_to(self, work: Work, batch: int, method_name: str) -> None:
        self.defer(trigger=WorkTrigger(self.execution_id, work.value, batch), method_name=method_name)
