"""Answers in the Airflow UI: stored, judged, and requested again when they do not count."""

import asyncio
from dataclasses import replace

from tests.labs.lab import FOREVER, OLGA, Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION, OLD_VERSION
from tests.labs.steps.stages import (
    YES,
    approval,
    approve,
    asked,
    data_of,
    make_first_stage_ill,
    parks,
    run_stage,
)
from upgrade_orchestrator.domain.approval.approval import Answer, StageState
from upgrade_orchestrator.domain.execution.commands import Decision
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.service.approvals.decide import (
    question_about,
    request_approval,
    wait_for_answer,
)
from upgrade_orchestrator.service.approvals.ui_responses import answer_in_ui, apply_ui_answers
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.commands import pause_upgrade, resume_upgrade

S = ExecutionStatus


async def _answered(make_lab: MakeLab, given: Answer = YES) -> tuple[Lab, str]:
    lab, execution_id = await asked(make_lab)
    await answer_in_ui(lab.world.ports, execution_id, 2, given)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ANSWERED
    return lab, execution_id


async def test_answer_of_an_approver_becomes_the_decision(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    waits = asyncio.create_task(wait_for_answer(lab.world.ports, execution_id, 2, None))
    lab.world.people.approvers.add("anna")
    await apply_ui_answers(lab.world.ports)
    assert (await asyncio.wait_for(waits, FOREVER)).ending is Ending.DONE
    kept = await approval(lab, execution_id)
    assert (kept.decision, kept.decided_by, kept.source, kept.reason) == ("APPROVED", "anna", "UI", "looks well")


async def test_answer_that_is_not_checked_yet_starts_nothing(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    assert (await run_stage(lab, execution_id, 2, seconds=0.5)).ending is Ending.UNFINISHED
    assert lab.versions() == {NEW_VERSION: 2, OLD_VERSION: 2}


async def test_rejection_in_the_ui_cancels_the_upgrade(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab, replace(YES, choice=Decision.REJECTED))
    lab.world.people.approvers.add("anna")
    await apply_ui_answers(lab.world.ports)
    execution = await lab.execution(execution_id)
    assert (execution.status, execution.status_reason.partition(";")[0]) == (
        S.CANCELLED,
        "stage 2 rejected by anna: looks well",
    )


async def _refused(lab: Lab, execution_id: str) -> str:
    """Judges, and says why the answer did not count; the task hears it too."""
    waits = asyncio.create_task(wait_for_answer(lab.world.ports, execution_id, 2, None))
    await apply_ui_answers(lab.world.ports)
    assert (await asyncio.wait_for(waits, FOREVER)).ending is Ending.STOPPED
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ASKED
    found = await approval(lab, execution_id)
    assert (found.answer, found.decision) == (None, None)
    received = (await data_of(lab, execution_id, EventType.COMMAND_RECEIVED))[-1]
    assert received["source"] == "UI"
    assert received["reason"].startswith("refused: ")
    assert found.refused is not None
    return found.refused


async def test_answer_without_the_permission_is_refused_and_requested_again(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    assert await _refused(lab, execution_id) == f"anna: {lacking('anna', Permission.APPROVE).detail}"
    (words,) = lab.world.people.words.values()
    assert words == (await question_about(lab.world.ports, execution_id, 2)).body
    assert "lacks the permission" in words


async def test_answer_of_the_creator_is_refused_and_requested_again(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab, replace(YES, by="olga"))
    lab.world.people.approvers.add("olga")
    assert "four eyes" in await _refused(lab, execution_id)


async def test_answer_that_the_fleet_blocks_is_refused_and_requested_again(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    lab.world.people.approvers.add("anna")
    await make_first_stage_ill(lab, execution_id)
    assert "no budget left" in await _refused(lab, execution_id)


async def test_answer_during_a_pause_is_checked_after_it(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    lab.world.people.approvers.add("anna")
    await pause_upgrade(lab.world.ports, execution_id, None, OLGA)
    await apply_ui_answers(lab.world.ports)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ANSWERED
    await resume_upgrade(lab.world.ports, execution_id, None, OLGA)
    await apply_ui_answers(lab.world.ports)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.APPROVED


async def test_answer_waits_while_airflow_cannot_check_permissions(make_lab: MakeLab) -> None:
    lab, execution_id = await _answered(make_lab)
    lab.world.people.away = True
    await apply_ui_answers(lab.world.ports)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ANSWERED


async def test_decision_over_rest_overrides_a_later_answer(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    await approve(lab, execution_id)
    decided = await approval(lab, execution_id)
    await answer_in_ui(lab.world.ports, execution_id, 2, replace(YES, choice=Decision.REJECTED, by="bert"))
    await apply_ui_answers(lab.world.ports)
    assert await approval(lab, execution_id) == decided


async def test_answer_whose_task_crashed_before_storing_it_is_collected(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    people = lab.world.people
    people.approvers.add("anna")
    people.given[parks(lab, execution_id)] = YES
    await apply_ui_answers(lab.world.ports)
    assert (await approval(lab, execution_id)).decided_by == "anna"


async def test_refused_answer_is_deleted_in_airflow_and_not_checked_twice(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    people = lab.world.people
    people.given[parks(lab, execution_id)] = YES
    await apply_ui_answers(lab.world.ports)
    assert people.given == {}
    await answer_in_ui(lab.world.ports, execution_id, 2, YES)  # its task comes late
    await apply_ui_answers(lab.world.ports)
    received = [each for each in await data_of(lab, execution_id, EventType.COMMAND_RECEIVED) if each["source"] == "UI"]
    assert len(received) == 1
