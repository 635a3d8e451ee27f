"""What an instance itself says of its failure reaches row, event and log, whichever way it failed."""

import logging

import pytest

from local.fleet.instance.failure import output_of_failed_upgrade
from tests.labs.fleet.edited import EditedFleets
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW_VERSION
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.instance.instance import InstanceStatus

PULL_ERROR = "Back-off pulling image\n\timage: demo:3.7.0\n\treason: ErrImagePull"


async def test_output_of_a_failed_upgrade_is_in_row_event_and_log_with_its_lines(
    make_lab: MakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lab = await make_lab(size=2)
    lab.fault("upgrade-fails", 2)
    execution_id = await lab.admitted(max_unavailable_percentage=100)
    execution = await lab.upgrade(execution_id)
    assert execution.status is ExecutionStatus.FAILED
    output = output_of_failed_upgrade(lab.name(2), NEW_VERSION)
    error = (await lab.instances(execution_id))[lab.name(2)].error or ""
    assert error == f"the upgrade to {NEW_VERSION} failed: instance is stopped:\n{output}"
    changes = [each.data for each in await lab.events(execution_id) if each.data.get("to") == "FAILED"]
    assert [each["error"] for each in changes if each.get("instanceId") == lab.name(2)] == [error, error]
    assert "\n  | Collecting demo-server==3.7.0\n" in caplog.text
    assert "\n" not in execution.status_reason
    assert "exit status 1; the instance is stopped" in execution.status_reason


async def test_detail_of_a_failing_health_check_is_in_the_row_with_its_lines(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    fleets = EditedFleets(lab.world.ports.fleets, edit_health=lambda _, said: Health(False, said.version, PULL_ERROR))
    execution_id = await lab.admitted(health_check_timeout_seconds=1)
    await lab.with_ports(fleets=fleets).run_batches(execution_id)
    row = (await lab.instances(execution_id))[lab.name(1)]
    assert row.status is InstanceStatus.FAILED
    assert row.error == f"not healthy at {NEW_VERSION} within 1 s:\n{PULL_ERROR}"


async def test_detail_of_an_instance_that_does_not_drain_is_in_the_row(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1, drain_seconds=60.0)
    fleets = EditedFleets(lab.world.ports.fleets, edit_health=lambda _, said: Health(False, said.version, "4 clients"))
    execution_id = await lab.admitted(health_check_timeout_seconds=1)
    await lab.with_ports(fleets=fleets).run(execution_id, 1, 3)
    row = (await lab.instances(execution_id))[lab.name(1)]
    assert (row.error or "").endswith("after 1 s of DRAINING: 4 clients")


async def test_failed_instance_without_a_detail_has_the_reason_of_the_list_only(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    lab.fault("upgrade-fails", 1)
    fleets = EditedFleets(lab.world.ports.fleets, edit_health=lambda _, said: Health(False, said.version))
    execution_id = await lab.admitted()
    await lab.with_ports(fleets=fleets).run_batches(execution_id)
    error = (await lab.instances(execution_id))[lab.name(1)].error
    assert error == f"the upgrade to {NEW_VERSION} failed: instance is stopped"


async def test_problem_of_the_last_look_has_the_instances_own_words(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted(health_check_timeout_seconds=1)
    await lab.run_batches(execution_id)
    lab.fault("unhealthy", 1)
    await lab.upgrade(execution_id)
    errors = [each.data.get("error") for each in await lab.events(execution_id) if each.data.get("to") == "FAILED"]
    assert any("the instance says that it is unhealthy" in str(each) for each in errors)
