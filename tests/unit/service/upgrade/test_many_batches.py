"""Upgrades of more batches than a DAG has task groups."""

import pytest

from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION
from tests.labs.steps.first_step import step
from upgrade_orchestrator.domain.errors import UpgradeBlocked
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.plan.steps import MOST_GROUPS, Step, StepKind, steps_of
from upgrade_orchestrator.service.runner.outcome import Ending

S = ExecutionStatus


# fault 50
async def test_create_refuses_more_stages_than_a_dag_has_groups(make_lab: MakeLab) -> None:
    lab = await make_lab(size=102)
    with pytest.raises(UpgradeBlocked) as refused:
        await lab.created(strategy=Strategy.STAGED, batch_size=1)
    found = "102 stages need 101 approvals, at most 100 stages are accepted"
    assert f"{found}: raise batchSize to 2 or more, or give stagePercentages" in refused.value.detail
    assert (await lab.created(strategy=Strategy.STAGED, batch_size=2)).status is S.PENDING


# fault 50
async def test_tasks_of_shared_groups_do_each_batch_once_and_complete_the_upgrade(make_lab: MakeLab) -> None:
    lab = await make_lab(size=MOST_GROUPS + 2)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=5, max_unavailable_percentage=1)
    async with lab.world.ports.work() as work:
        steps = steps_of(await work.executions.plan(execution_id))
    batches = [each for each in steps if each.kind is StepKind.BATCH]
    assert batches[:2] == [Step(StepKind.BATCH, 1, 2), Step(StepKind.BATCH, 3, 4)]
    assert len(batches) <= MOST_GROUPS
    for each in batches:
        assert (await step(lab, execution_id, StepKind.BATCH, each.batch, each.last)).ending is Ending.DONE
    await step(lab, execution_id, StepKind.VERIFY, batches[-1].last)
    assert (await lab.execution(execution_id)).status is S.COMPLETED
    assert lab.versions() == {NEW_VERSION: MOST_GROUPS + 2}
    assert len(lab.upgrades()) == len(set(lab.upgrades())) == MOST_GROUPS + 2
