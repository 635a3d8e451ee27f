"""The approval request that a person reads before deciding on a stage."""

from tests.unit.domain.builders import NOW, make_execution, make_instance, make_request, planned
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.approval.question import question_of
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.instance import InstanceStatus

PLAN = planned(6, strategy=Strategy.STAGED, batch_size=2)
ROWS = [make_instance("i-00", InstanceStatus.COMPLETED), make_instance("i-01", InstanceStatus.FAILED), make_instance()]


def _body(rollback: bool = False, refused: str | None = None, to_version: str = "3.7.0", size: int = 2) -> str:
    request = make_request(strategy=Strategy.STAGED, auto_rollback_enabled=rollback)
    execution = make_execution(request=request, to_version=to_version)
    approval = Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=NOW, refused=refused)
    plan = planned(size * 3, strategy=Strategy.STAGED, batch_size=size)
    return question_of(execution, plan, approval, ROWS).body


def test_approval_request_describes_stage_deployment_and_progress() -> None:
    approval = Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=NOW)
    question = question_of(make_execution(), PLAN, approval, ROWS)
    assert question.subject == "Stage 2 of 3: aaa-111 from 3.6.0 to 3.7.0, tenant 550e8400"
    assert "**Stage 2 of 3** upgrades 2 instances: `i-02`, `i-03`." in question.body
    assert "So far: 1 PENDING, 1 COMPLETED, 1 FAILED (failed: 1 instances: `i-01`)." in question.body
    assert "created by `olga`" in question.body


def test_approval_request_describes_the_effect_of_a_rejection() -> None:
    assert "takes every upgraded instance back" in _body(rollback=True)
    assert "cancels the upgrade" in _body(rollback=False)


def test_approval_request_gives_the_reason_why_the_last_answer_was_refused() -> None:
    assert "`olga: four eyes`" in _body(refused="olga: four eyes")
    assert "did not count" not in _body()


def test_approval_request_names_only_some_of_many_instances() -> None:
    assert "30 instances: " in _body(size=30)
    assert "and 10 more" in _body(size=30)


def test_approval_request_escapes_text_of_the_registry() -> None:
    assert "`3.6.0 to [x](http://evil)'`" in _body(to_version="[x](http://evil)`")
