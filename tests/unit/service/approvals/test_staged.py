"""Stages: the approval is requested once and decided once, and no stage begins without it."""

import asyncio
from dataclasses import replace

import pytest

from tests.labs.lab import OLGA, until
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.stages import (
    ANNA,
    approval,
    approve,
    asked,
    data_of,
    first_stage_done,
    run_stage,
)
from upgrade_orchestrator.domain.approval.approval import StageState
from upgrade_orchestrator.domain.errors import Forbidden, InvalidState, NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.approvals.decide import (
    decide_stage,
    question_about,
    request_approval,
)
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import cancel_upgrade

S = ExecutionStatus


async def test_approval_is_requested_once_with_the_plan_hash(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    first = await approval(lab, execution_id)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ASKED
    assert await approval(lab, execution_id) == first
    plan_hash = (await lab.execution(execution_id)).plan_hash
    assert await data_of(lab, execution_id, EventType.APPROVAL_REQUESTED) == [{"stage": 2, "planHash": plan_hash}]


async def test_approval_is_not_requested_before_the_previous_stage_is_done_nor_after_the_end(make_lab: MakeLab) -> None:
    lab = await make_lab()
    execution_id = await lab.admitted(strategy=Strategy.STAGED, batch_size=2, max_unavailable_percentage=50)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.EARLY
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.OVER
    assert lab.world.rows("approval") == 0


async def test_approval_request_names_the_instances_and_the_progress_so_far(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    question = await question_about(lab.world.ports, execution_id, 2)
    assert question.subject.startswith("Stage 2 of 2")
    rows = (await lab.instances(execution_id)).values()
    assert all((each.instance_id in question.body) is (each.batch == 2) for each in rows)
    assert "2 PENDING, 2 COMPLETED" in question.body


async def test_stage_without_an_approval_does_not_begin_in_any_task(make_lab: MakeLab) -> None:
    lab, execution_id = await first_stage_done(make_lab)
    assert (await run_stage(lab, execution_id, 2, seconds=0.5)).ending is Ending.UNFINISHED
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}
    await approve(lab, execution_id)  # it has asked for it
    assert (await run_stage(lab, execution_id, 2)).ending is Ending.DONE
    assert lab.versions() == {NEW_VERSION: 4}


async def test_later_stage_run_first_completes_the_first_stage_and_requests_approvals_in_order(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=3)
    execution_id = await lab.admitted(strategy=Strategy.STAGED, batch_size=1)
    assert (await run_stage(lab, execution_id, 3, seconds=3.0)).ending is Ending.UNFINISHED
    assert lab.versions() == {NEW_VERSION: 1, OLD_VERSION: 2}
    assert [each["stage"] for each in await data_of(lab, execution_id, EventType.APPROVAL_REQUESTED)] == [2]


async def test_approval_of_another_plan_begins_no_stage(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await approve(lab, execution_id)
    async with lab.world.ports.work() as work:
        (kept,) = await work.approvals.of(execution_id)
        await work.approvals.save(replace(kept, plan_hash="f" * 64))
        await work.commit()
    assert (await run_stage(lab, execution_id, 2, seconds=0.5)).ending is Ending.UNFINISHED
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}


async def test_waiting_stage_holds_no_lease(make_lab: MakeLab) -> None:
    lab, execution_id = await first_stage_done(make_lab)
    task = asyncio.create_task(run_stage(lab, execution_id, 2))
    await until(lambda: lab.world.rows("approval"), "the runner to wait")
    await until(lambda: not lab.lease()[2], "the lease to be given back")
    await cancel_upgrade(lab.world.ports, execution_id, None, OLGA)
    assert (await task).ending is Ending.STOPPED


async def test_decision_is_stored_with_audit_and_event(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await approve(lab, execution_id)
    kept = await approval(lab, execution_id)
    assert (kept.decision, kept.decided_by, kept.source, kept.reason) == ("APPROVED", "anna", "API", "looks well")
    audit = [(each.command, each.actor, each.source, each.reason) for each in lab.commands()]
    assert ("approve", "anna", "API", "looks well") in audit
    (data,) = await data_of(lab, execution_id, EventType.APPROVAL_DECIDED)
    assert (data["stage"], data["decision"], data["planHash"]) == (2, "APPROVED", kept.plan_hash)


async def test_second_decision_is_refused_whether_it_approves_or_rejects(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await approve(lab, execution_id)
    for wanted in (True, False):
        with pytest.raises(InvalidState, match="was APPROVED by anna"):
            await decide_stage(lab.world.ports, execution_id, 2, wanted, None, Actor("bert"))


async def test_creator_may_not_approve_unless_four_eyes_is_off(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    with pytest.raises(Forbidden, match="four eyes"):
        await approve(lab, execution_id, actor=OLGA)
    assert (await approval(lab, execution_id)).decision is None
    options = replace(lab.world.ports.options, four_eyes=False)
    await decide_stage(replace(lab.world.ports, options=options), execution_id, 2, True, None, OLGA)
    assert (await approval(lab, execution_id)).decided_by == "olga"


async def test_decision_on_a_stage_outside_the_plan_is_not_found(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    with pytest.raises(NotFound):
        await approve(lab, execution_id, stage=3)


async def test_rejected_stage_cancels_without_auto_rollback(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    moved = await decide_stage(lab.world.ports, execution_id, 2, False, "too slow", ANNA)
    assert moved.status is S.CANCELLED
    assert moved.status_reason == "stage 2 rejected by anna: too slow; 2 on 3.6.0, 2 on 3.7.0"
    assert (await run_stage(lab, execution_id, 2)).ending is Ending.STOPPED
    assert (await lab.end(execution_id)).settled_at is not None
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}


async def test_rejected_stage_rolls_back_with_auto_rollback(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab, auto_rollback_enabled=True)
    moved = await decide_stage(lab.world.ports, execution_id, 2, False, None, ANNA)
    assert (moved.status, moved.rollback.reason) == (S.ROLLING_BACK, "stage 2 rejected by anna")
    assert (await lab.upgrade(execution_id)).status is S.ROLLED_BACK
    assert lab.versions() == {OLD_VERSION: 4}
