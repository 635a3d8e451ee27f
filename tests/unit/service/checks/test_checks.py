"""The checks and admission: each passes, and fails for its reason."""

import asyncio
from asyncio import get_running_loop
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.labs.lab import Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW, OLD
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import VersionStatus
from upgrade_orchestrator.service.checks.run import run_check
from upgrade_orchestrator.service.finalize.settle import fail_if_unfinished
from upgrade_orchestrator.service.ports.unit_of_work import Ports

C = CheckName


async def _found(lab: Lab, execution_id: str, name: CheckName) -> tuple[CheckStatus, str]:
    result = await run_check(lab.world.ports, execution_id, name, again=True)
    return result.status, result.message


async def test_execution_is_admitted_when_all_five_checks_pass(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution = await lab.validating()
    results = await lab.check(execution.id)
    assert {name: each.status for name, each in results.items()} == dict.fromkeys(CheckName, CheckStatus.PASSED)
    assert all(each.message for each in results.values())
    admitted = await lab.execution(execution.id)
    assert (admitted.status, admitted.status_reason) == (ExecutionStatus.IN_PROGRESS, "all pre-upgrade checks passed")
    completed = [each.data for each in await lab.events(execution.id) if each.what is EventType.CHECK_COMPLETED]
    assert {str(each["name"]) for each in completed} == set(CheckName)


async def test_canary_execution_is_admitted_to_its_canaries(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution = await lab.validating(strategy=Strategy.CANARY)
    await lab.check(execution.id)
    assert (await lab.execution(execution.id)).status is ExecutionStatus.CANARY_RUNNING


async def test_check_results_are_stored_with_their_times(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    await lab.check(execution.id)
    async with lab.world.ports.work() as work:
        stored = await work.executions.checks(execution.id)
    assert [each.name for each in stored] == list(CheckName)
    assert all(each.started_at and each.completed_at and each.started_at < each.completed_at for each in stored)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": VersionStatus.DRAFT}, "DRAFT"),
        ({"status": VersionStatus.DEPRECATED}, "DEPRECATED"),
        ({"end_of_life_date": date(2020, 1, 31)}, "2020-01-31"),
        ({"min_platform_version": "99.0"}, "platform"),
        ({"max_platform_version": "2.9"}, "platform"),
    ],
)
async def test_version_compatibility_fails_when_the_registry_has_changed_since_creation(
    make_lab: MakeLab, fields: dict[str, object], said: str
) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    await lab.change_version(NEW, **fields)
    ports = replace(lab.world.ports, options=replace(lab.world.ports.options, platform_version="3.0"))
    result = await run_check(ports, execution.id, C.VERSION_COMPATIBILITY)
    assert (result.status, said in result.message) == (CheckStatus.FAILED, True), result.message


async def test_version_compatibility_fails_when_the_path_is_missing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    lab.forget_paths()
    status, message = await _found(lab, execution.id, C.VERSION_COMPATIBILITY)
    assert (status, "path" in message) == (CheckStatus.FAILED, True)


async def test_version_compatibility_fails_when_the_path_was_closed_and_warns_when_it_is_untested(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    lab.change_paths(tested=False)
    assert (await _found(lab, execution.id, C.VERSION_COMPATIBILITY))[0] is CheckStatus.WARNING
    lab.change_paths(blockers=("closed for now",))
    status, message = await _found(lab, execution.id, C.VERSION_COMPATIBILITY)
    assert (status, "closed for now" in message) == (CheckStatus.FAILED, True), message


async def test_resource_availability_fails_without_room_for_a_second_pool(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3, free_instances=2)
    execution = await lab.validating(strategy=Strategy.BLUE_GREEN)
    found = await _found(lab, execution.id, C.RESOURCE_AVAILABILITY)
    assert found[0] is CheckStatus.FAILED
    assert found[1].startswith("BLUE_GREEN needs room for 3 more instances, the fleet has 2: ")


async def test_resource_availability_warns_when_the_budget_is_used_up_already(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution = await lab.validating()
    lab.kill(2)
    status, message = await _found(lab, execution.id, C.RESOURCE_AVAILABILITY)
    assert (status, lab.name(2) in message) == (CheckStatus.WARNING, True)


async def test_health_endpoints_fail_naming_each_that_does_not_respond(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution = await lab.validating()
    lab.fault("agent-503", 2)
    status, message = await _found(lab, execution.id, C.HEALTH_ENDPOINTS)
    assert status is CheckStatus.FAILED
    assert message.startswith(f"1 of 3 health endpoints do not answer ({lab.name(2)}: the agent answered 503 to ")


async def test_health_endpoint_that_responds_unhealthy_passes(make_lab: MakeLab) -> None:
    lab = await make_lab(size=3)
    execution = await lab.validating()
    lab.fault("unhealthy", 2)
    assert (await _found(lab, execution.id, C.HEALTH_ENDPOINTS))[0] is CheckStatus.PASSED


async def test_backup_verification_fails_without_a_backup(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.forget_backups()
    status, message = await _found(lab, execution.id, C.BACKUP_VERIFICATION)
    assert (status, f"no backup of version {OLD}" in message) == (CheckStatus.FAILED, True)


async def test_backup_verification_passes_without_a_backup_when_the_component_keeps_no_state(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.keep_no_state()
    lab.forget_backups()
    status, message = await _found(lab, execution.id, C.BACKUP_VERIFICATION)
    assert (status, "no backup is required" in message) == (CheckStatus.PASSED, True)


async def test_backup_that_is_not_there_is_only_warned_of_when_the_component_keeps_no_state(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.keep_no_state()
    lab.world.storage.contents.clear()
    status, message = await _found(lab, execution.id, C.BACKUP_VERIFICATION)
    assert (status, "cannot be read" in message) == (CheckStatus.WARNING, True)


async def test_backup_verification_fails_when_it_is_too_old(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.make_backups_older(timedelta(hours=23))
    assert (await _found(lab, execution.id, C.BACKUP_VERIFICATION))[0] is CheckStatus.PASSED
    lab.make_backups_older(timedelta(hours=2))
    status, message = await _found(lab, execution.id, C.BACKUP_VERIFICATION)
    assert (status, "25.0 h old, at most 24 h" in message) == (CheckStatus.FAILED, True)


@pytest.mark.parametrize(
    ("installed", "status", "said"),
    [
        ({"postgresql": "16.2"}, CheckStatus.PASSED, "1 dependencies of 3.7.0 are satisfied"),
        ({"postgresql": "18.0"}, CheckStatus.FAILED, "postgresql"),
        (None, CheckStatus.FAILED, "postgresql"),
    ],
)
async def test_dependency_check_compares_the_installed_components(
    make_lab: MakeLab, installed: dict[str, str] | None, status: CheckStatus, said: str
) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating(installed_components=installed)
    await lab.change_version(NEW, dependencies={"postgresql": ">=15,<18"})
    found = await _found(lab, execution.id, C.DEPENDENCY_CHECK)
    assert (found[0], said in found[1]) == (status, True), found


async def test_unreachable_agent_fails_the_checks_that_call_it_and_the_reason_names_all(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2)
    execution = await lab.validating()
    lab.world.admin.delete(lab.world.fleet)
    lab.world.storage.contents.clear()
    results = await lab.check(execution.id)
    failed = {name for name, each in results.items() if each.status is CheckStatus.FAILED}
    assert failed == {C.RESOURCE_AVAILABILITY, C.BACKUP_VERIFICATION, C.HEALTH_ENDPOINTS}
    assert results[C.RESOURCE_AVAILABILITY].message.startswith("the check could not be made: the agent answered 404")
    admitted = await lab.execution(execution.id)
    assert admitted.status is ExecutionStatus.FAILED
    assert [name in admitted.status_reason for name in CheckName] == [name in failed for name in CheckName]


async def test_check_that_never_ran_is_not_passed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    for name in list(CheckName)[1:]:
        await run_check(lab.world.ports, execution.id, name)
    assert (await lab.execution(execution.id)).status is ExecutionStatus.VALIDATING
    assert (await fail_if_unfinished(lab.world.ports, execution.id)).status is ExecutionStatus.FAILED


@pytest.mark.parametrize("name", [C.RESOURCE_AVAILABILITY, C.HEALTH_ENDPOINTS])
async def test_hanging_agent_fails_the_check_after_its_time_out(make_lab: MakeLab, name: CheckName) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.fault("agent-hangs")
    result = await run_check(_with_limit(lab, 0.3), execution.id, name)
    lab.heal()
    asked = f"the agent of fleet {lab.world.fleet} (Airflow connection demo_fleet)"
    assert result.status is CheckStatus.FAILED
    assert result.message.startswith(f"the check did not finish within 0.3 s: see whether {asked} responds")


async def test_checks_run_concurrently(make_lab: MakeLab) -> None:
    """Two that hang take as long as one."""
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.fault("agent-hangs")
    began = get_running_loop().time()
    names = (C.RESOURCE_AVAILABILITY, C.HEALTH_ENDPOINTS)
    results = await asyncio.gather(*(run_check(_with_limit(lab, 2), execution.id, name) for name in names))
    assert get_running_loop().time() - began < 2 * 2
    assert {each.status for each in results} == {CheckStatus.FAILED}
    lab.heal()


def _with_limit(lab: Lab, seconds: float) -> Ports:
    return replace(lab.world.ports, options=replace(lab.world.ports.options, check_timeout_seconds=seconds))


async def test_check_and_admission_do_nothing_once_the_execution_has_moved_on(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    before = len(await lab.events(execution_id))
    for again in (False, True):
        result = await run_check(lab.world.ports, execution_id, C.BACKUP_VERIFICATION, again)
        assert result.status is CheckStatus.PASSED
    assert (await lab.execution(execution_id)).status is ExecutionStatus.IN_PROGRESS
    assert len(await lab.events(execution_id)) == before
