"""Stages: steps of their tests."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from tests.labs.lab import FOREVER, Lab
from upgrade_orchestrator.domain.airflow.stage_tasks import approve_task
from upgrade_orchestrator.domain.approval.approval import Answer, Approval, StageState
from upgrade_orchestrator.domain.execution.commands import Actor, Decision
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy, dag_id_of
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.approvals.decide import decide_stage, request_approval
from upgrade_orchestrator.service.ports.airflow import HumanTask
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.steps.work import complete_step

AnyLab = TypeVar("AnyLab", bound=Lab)
MakeLab = Callable[..., Awaitable[AnyLab]]
ANNA = Actor("anna")
YES = Answer(Decision.APPROVED, "anna", "7", datetime.now(UTC), "looks well")


async def run_stage(lab: Lab, execution_id: str, stage: int, seconds: float | None = None) -> Outcome:
    """Run the stage and every open step before it; one that hangs fails the test."""
    done = complete_step(lab.world.ports, execution_id, Step(StepKind.BATCH, stage), seconds)
    return await asyncio.wait_for(done, FOREVER)


async def first_stage_done(make_lab: MakeLab[AnyLab], **fields: Any) -> tuple[AnyLab, str]:
    """Four instances in stages of two, of which the first is done."""
    lab = await make_lab()
    usual = {"strategy": Strategy.STAGED, "batch_size": 2, "max_unavailable_percentage": 50}
    execution_id = await lab.admitted(**(usual | fields))
    assert (await lab.run(execution_id, 1)).ending is Ending.DONE
    return lab, execution_id


async def asked(make_lab: MakeLab[AnyLab], **fields: Any) -> tuple[AnyLab, str]:
    """The same, with the second stage waiting for its approval."""
    lab, execution_id = await first_stage_done(make_lab, **fields)
    assert await request_approval(lab.world.ports, execution_id, 2) is StageState.ASKED
    return lab, execution_id


async def approve(lab: Lab, execution_id: str, stage: int = 2, actor: Actor = ANNA) -> None:
    await decide_stage(lab.world.ports, execution_id, stage, True, "looks well", actor)


async def approval(lab: Lab, execution_id: str) -> Approval:
    async with lab.world.ports.work() as work:
        return (await work.approvals.of(execution_id))[0]


async def data_of(lab: Lab, execution_id: str, what: EventType) -> list[dict[str, Any]]:
    return [dict(each.data) for each in await lab.events(execution_id) if each.what is what]


def parks(lab: Lab, execution_id: str, stage: int = 2) -> HumanTask:
    """Airflow shows the task of the stage as waiting for people."""
    task = HumanTask(dag_id_of(execution_id), approve_task(stage))
    lab.world.people.waits.append(task)
    return task


async def make_first_stage_ill(lab: Lab, execution_id: str) -> None:
    """Both instances of the stage, which is the whole budget."""
    for each in (await lab.instances(execution_id)).values():
        if each.batch == 1:
            lab.world.admin.fault(lab.world.fleet, "unhealthy", each.instance_id)
