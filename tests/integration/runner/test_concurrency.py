"""Several callers do the same thing at once, in transactions of their own: PostgreSQL's locks let it happen once."""

import asyncio
from collections import Counter

from tests.integration.store_lab import MakeLab
from tests.labs.lab import OLGA
from tests.labs.seed import COMPONENT, NEW, OLD, TENANT
from tests.labs.steps.canaries import deployed, monitored, polls
from tests.labs.steps.endings import failed_with_a_drain_that_does_not_end, marked_failed_while_upgrading
from tests.labs.steps.stages import ANNA, asked, data_of, first_stage_done
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.approval.approval import StageState
from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.service.approvals.decide import decide_stage, request_approval
from upgrade_orchestrator.service.control.reconcile import reconcile
from upgrade_orchestrator.service.finalize.finalize import finish_and_settle
from upgrade_orchestrator.service.runner.outcome import Ending
from upgrade_orchestrator.service.upgrade.ensure import create_once


async def test_concurrent_runners_of_a_batch_upgrade_each_instance_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted()
    outcomes = await asyncio.gather(lab.run(execution_id, 1), lab.run(execution_id, 1))
    assert [each.ending for each in outcomes] == [Ending.DONE, Ending.DONE]
    assert Counter(lab.upgrades()) == {lab.name(number): 1 for number in range(1, 5)}
    assert lab.tokens() == sorted(lab.tokens())
    types = [each.what.value for each in await lab.events(execution_id)]
    assert types.count("batch-started") == types.count("batch-completed") == 1


async def test_concurrent_canary_monitors_count_a_poll_once(make_lab: MakeLab) -> None:
    lab, execution_id = await deployed(make_lab, health_check_interval_seconds=3600, failure_threshold=5)
    lab.fault("unhealthy", 2)
    await asyncio.gather(*(monitored(lab, execution_id) for _ in range(4)))
    assert (await lab.execution(execution_id)).current_failures == 1
    assert len(await polls(lab, execution_id)) == 1


async def test_concurrent_ends_of_a_failed_upgrade_upgrade_no_instance_twice(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4, upgrade_seconds=0.3)
    execution_id = await marked_failed_while_upgrading(lab)
    ports = lab.world.ports
    context = await lab.context(execution_id)
    ends = await asyncio.gather(*(finish_and_settle(ports, context, None) for _ in range(2)))
    assert {each.ending for each in ends} == {Ending.DONE}
    assert set(Counter(lab.upgrades()).values()) == {1}


async def test_concurrent_ends_of_an_upgrade_with_a_drain_both_succeed_and_undrain_all(make_lab: MakeLab) -> None:
    lab, execution_id = await failed_with_a_drain_that_does_not_end(make_lab)
    context = await lab.context(execution_id)
    both = await asyncio.gather(*(finish_and_settle(lab.world.ports, context, None) for _ in range(2)))
    assert {each.ending for each in both} == {Ending.DONE}
    assert (lab.statuses(), lab.lease()[2]) == ({"RUNNING": 3}, False)


async def test_concurrent_reconcilers_resolve_a_drift_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1)
    await lab.run(execution_id, 1)
    lab.world.airflow.show(execution_id, RunView("7", "running"))
    await reconcile(lab.world.ports)
    lab.world.airflow.show(execution_id, RunView("7", "running", paused=True))
    await asyncio.gather(*(reconcile(lab.world.ports) for _ in range(3)))
    changes = await data_of(lab, execution_id, EventType.STATUS_CHANGED)
    assert [each["to"] for each in changes] == ["VALIDATING", "IN_PROGRESS", "PAUSED"]


async def test_concurrent_creates_make_one_execution(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution_id = lab.world.ports.new_id()
    request = UpgradeRequest(component_id=COMPONENT, from_version_id=OLD, to_version_id=NEW)
    creates = (create_once(lab.world.ports, execution_id, TENANT, request, OLGA) for _ in range(4))
    assert [each.id for each in await asyncio.gather(*creates)] == [execution_id] * 4
    assert (lab.world.rows("execution"), lab.world.rows("instance")) == (1, 2)


async def test_concurrent_approval_requests_request_the_approval_once(make_lab: MakeLab) -> None:
    lab, execution_id = await first_stage_done(make_lab)
    asks = (request_approval(lab.world.ports, execution_id, 2) for _ in range(5))
    assert set(await asyncio.gather(*asks)) == {StageState.ASKED}
    assert len(await data_of(lab, execution_id, EventType.APPROVAL_REQUESTED)) == 1


async def test_one_of_two_concurrent_decisions_counts(make_lab: MakeLab) -> None:
    lab, execution_id = await asked(make_lab)
    both = (decide_stage(lab.world.ports, execution_id, 2, each, None, ANNA) for each in (True, False))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(each, InvalidState) for each in answers) == 1
    assert len(await data_of(lab, execution_id, EventType.APPROVAL_DECIDED)) == 1
