"""Every strategy forward and back on Airflow, over HTTP, checked by the fleet's own log.

All outcomes of each strategy are in `unit/service/test_strategies.py`; here is what other tasks of the DAG do.
"""

from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.case import SIZE, STRATEGIES, Case
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import NEW, OLD, Json, got, statuses

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
one_pool_and_two = pytest.mark.parametrize("strategy", ["ROLLING", "BLUE_GREEN"])
# RECREATE has ROLLING's tasks, STAGED goes back in test_staged, BLUE_GREEN below by a command: with the same tasks.
monitored_or_not = pytest.mark.parametrize("strategy", ["ROLLING", "CANARY"])


@pytest.fixture
def case(strategy: str, new_tenant: NewTenant, client_of: Callable[[str], httpx.Client]) -> Case:
    return Case(strategy, new_tenant(SIZE, upgrade_seconds=1.5), client_of("anna"))


@every_strategy
def test_upgrade_completes_after_a_pause_and_a_failure_below_the_threshold(case: Case) -> None:
    if case.strategy != "CANARY":
        case.tenant.agent.fault(case.tenant.fleet, "upgrade-fails", times=1)
    execution_id = case.start(failureThreshold=3)
    case.tenant.wait_upgrading()
    _assert_pause_holds_it(case, execution_id)
    if case.strategy == "CANARY":  # an unhealthy canary is handled by its monitor, so here one of the others fails
        case.wait(execution_id, "healthy canaries", lambda now: now["canary"]["healthy"])
        case.tenant.agent.fault(case.tenant.fleet, "upgrade-fails", times=1)
    case.let_go_on(execution_id)
    _assert_complete_at_the_second_try(case, execution_id, case.check_end(execution_id, "COMPLETED"))
    deployment = case.tenant.deployment()
    assert (deployment["currentVersionId"], deployment["mixed"]) == (NEW, None)
    dag = f"/dags/upgrade__{execution_id}"
    assert got(case.tenant.airflow, f"{dag}/dagVersions")["total_entries"] == 1
    assert got(case.tenant.airflow, dag)["is_paused"] is False


def _assert_pause_holds_it(case: Case, execution_id: str) -> None:
    before = case.tenant.execution(execution_id)["status"]
    assert case.command(execution_id, "pause")["status"] == "PAUSED"
    case.wait(execution_id, "nothing in flight", lambda now: now["progress"]["inFlight"] == 0)
    begun = case.tenant.upgraded()
    assert case.command(execution_id, "resume")["status"] == before
    seen = statuses(case.tenant.events(execution_id))
    paused = seen.index("PAUSED")
    assert seen[paused - 1 : paused + 2] == [before, "PAUSED", before]
    assert case.tenant.upgraded() >= begun


def _assert_complete_at_the_second_try(case: Case, execution_id: str, execution: Json) -> None:
    progress, info = execution["progress"], execution["rollbackInfo"]
    assert (progress["percentage"], progress["completed"], progress["failed"]) == (100, SIZE, 0)
    assert progress["currentBatch"] == progress["totalBatches"]
    assert (info["currentFailures"], info["rollbackInitiatedAt"]) == (1, None)
    assert [each["status"] for each in execution["validationChecks"]] == ["PASSED"] * 5
    rows = case.tenant.instances(execution_id)
    assert sorted((row["status"], row["attempts"]) for row in rows) == [("COMPLETED", 1)] * 3 + [("COMPLETED", 2)]
    assert case.serving() == {"3.7.0": SIZE}
    assert sorted(case.tries().values()) == [1, 1, 1, 2]


@monitored_or_not
def test_failures_at_the_threshold_roll_back_automatically(case: Case) -> None:
    case.tenant.agent.fault(case.tenant.fleet, "upgrade-fails", times=2)
    execution_id = case.start(failureThreshold=2, autoRollbackEnabled=True)
    execution = case.check_end(execution_id, "ROLLED_BACK")
    info = execution["rollbackInfo"]
    assert (info["rollbackInitiatedBy"], info["failureThreshold"]) == ("system", 2)
    assert info["currentFailures"] >= 2
    assert "failureThreshold is 2" in info["rollbackReason"]
    assert set(info["rolledBackInstances"]) == _rolled_back(case, execution_id) != set()
    assert case.serving() == {"3.6.0": SIZE}
    assert _kinds(case, execution_id)["rollback-started"] == _kinds(case, execution_id)["rollback-completed"] == 1
    assert case.tenant.deployment()["currentVersionId"] == OLD


@monitored_or_not
def test_failures_at_the_threshold_fail_the_upgrade_without_auto_rollback(case: Case) -> None:
    case.tenant.agent.fault(case.tenant.fleet, "upgrade-fails", times=2)
    execution_id = case.start(failureThreshold=2)
    if case.strategy == "CANARY":  # the operator decides
        case.wait(execution_id, "an unhealthy poll", lambda now: now["canary"]["healthy"] is False)
        refused = case.tenant.api.post(f"/upgrades/{execution_id}/promote-canary")
        assert (refused.status_code, refused.json()["code"]) == (409, "CANARY_UNHEALTHY")
        assert case.tenant.execution(execution_id)["status"] == "CANARY_MONITORING"
        case.command(execution_id, "rollback", reason="they do not come up")
        case.check_end(execution_id, "ROLLED_BACK")
        assert case.serving() == {"3.6.0": SIZE}
        return
    execution = case.check_end(execution_id, "FAILED")
    assert "failureThreshold is 2" in execution["statusReason"]
    assert execution["rollbackInfo"]["rollbackInitiatedAt"] is None
    assert case.tenant.deployment()["currentVersionId"] == OLD
    states = Counter(each["status"] for each in case.tenant.instances(execution_id))
    assert states["FAILED"] == 2


@one_pool_and_two
def test_cancel_keeps_upgraded_instances_and_touches_no_other(case: Case) -> None:
    execution_id = case.start()
    case.tenant.wait_upgrading()
    pool = case.tenant.upgraded()  # a new pool is begun as a whole
    assert case.command(execution_id, "cancel", reason="wrong night")["status"] == "CANCELLED"
    execution = case.check_end(execution_id, "CANCELLED")
    assert execution["statusReason"].startswith("wrong night; ")
    assert set(case.tenant.agent_statuses()) == {"RUNNING"}
    deployment = case.tenant.deployment()
    assert deployment["currentVersionId"] == OLD
    if case.strategy == "BLUE_GREEN":  # its new pool never had the traffic, so it has been removed
        assert (deployment["mixed"], case.serving()) == (None, {"3.6.0": SIZE})
        assert case.tenant.upgraded() == pool
        assert {each["pool"] for each in case.tenant.agent.fleet(case.tenant.fleet)["instances"]} == {"blue"}
    else:
        assert deployment["mixed"] == dict(case.serving())
        assert case.serving()["3.7.0"] == sum(case.tenant.upgraded().values()) > 0
        _assert_nothing_began_after_the_cancel(case, execution_id)


def _assert_nothing_began_after_the_cancel(case: Case, execution_id: str) -> None:
    """An order that was decided before may reach the fleet after it."""
    events = [(each["type"].split(".")[2], each["data"]) for each in case.tenant.events(execution_id)]
    (cancelled,) = (
        at for at, (kind, data) in enumerate(events) if kind == "status-changed" and data["to"] == "CANCELLED"
    )
    moves = [(at, data) for at, (kind, data) in enumerate(events) if kind == "instance-changed"]
    begun = {data["instanceId"]: at for at, data in moves if data["to"] == "UPGRADING"}
    assert max(begun.values()) < cancelled
    assert set(case.tenant.upgraded()) <= set(begun)


@pytest.mark.parametrize("strategy", ["BLUE_GREEN"])
def test_rollback_command_reverts_every_touched_instance(case: Case) -> None:
    execution_id = case.start()
    case.tenant.wait_upgrading()
    assert case.command(execution_id, "rollback", reason="Manual rollback")["status"] == "ROLLING_BACK"
    execution = case.check_end(execution_id, "ROLLED_BACK")
    info = execution["rollbackInfo"]
    assert (info["rollbackReason"], info["rollbackInitiatedBy"]) == ("Manual rollback", "admin")
    assert set(info["rolledBackInstances"]) == _rolled_back(case, execution_id) != set()
    assert case.serving() == {"3.6.0": SIZE}
    assert case.tenant.deployment()["currentVersionId"] == OLD
    assert statuses(case.tenant.events(execution_id))[-2:] == ["ROLLING_BACK", "ROLLED_BACK"]


def _rolled_back(case: Case, execution_id: str) -> set[str]:
    rows = case.tenant.instances(execution_id)
    return {each["instanceId"] for each in rows if each["status"] == "ROLLED_BACK"}


def _kinds(case: Case, execution_id: str) -> Counter[str]:
    return Counter(each["type"].split(".")[2] for each in case.tenant.events(execution_id))


@one_pool_and_two
def test_completed_upgrade_is_reverted_without_a_path_back(case: Case) -> None:
    upgraded = case.start()
    case.tenant.wait_until(upgraded, "COMPLETED")
    made = case.tenant.api.post(f"/upgrades/{upgraded}/revert", params={"start": "true"}, json={"reason": "it is bad"})
    assert (made.status_code, made.json()["status"], made.json()["revertOf"]) == (201, "VALIDATING", upgraded)
    execution = case.check_end(made.json()["id"], "COMPLETED")
    assert {each["name"] for each in execution["validationChecks"] if each["status"] == "WARNING"} == {
        "VERSION_COMPATIBILITY",
        "BACKUP_VERIFICATION",
    }
    assert case.serving() == {"3.6.0": SIZE}
    deployment = case.tenant.deployment()
    assert (deployment["currentVersionId"], deployment["mixed"]) == (OLD, None)
