"""Two processes that look at a fleet for the last time, at once (specification section 4, "All")."""

import asyncio

from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.rollout.last_look import Ill, LastLook, Unsettled


async def test_instance_that_another_process_has_failed_meanwhile_is_not_failed_again(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted()
    await lab.run_batches(execution_id)
    lab.fault("unhealthy", 2)
    context, rows = await lab.context(execution_id), list((await lab.instances(execution_id)).values())
    async with LastLook.of(lab.world.ports, context) as one, LastLook.of(lab.world.ports, context) as other:
        while not isinstance(await one.take(rows), Ill):
            assert isinstance(await other.take(rows), Unsettled)
            await asyncio.sleep(0.5)
        assert isinstance(await other.take(rows), Unsettled)
    assert (await lab.execution(execution_id)).current_failures == 1
    assert (await lab.instances(execution_id))["lab-02"].status is InstanceStatus.FAILED
