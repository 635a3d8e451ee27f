import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.world import COMPONENT, OLD, TENANT, World
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.execution.execution import Strategy

UPGRADES = f"/tenants/{TENANT}/upgrades"

_REQUEST_AND_MORE = """componentId fromVersionId toVersionId strategy canaryPercentage batchSize batchDelaySeconds
healthCheckIntervalSeconds healthCheckTimeoutSeconds maxUnavailablePercentage totalInstances
autoRollbackEnabled failureThreshold initiatedBy installedComponents soakSeconds stagePercentages
undrainForeign revertOf id tenantId status statusReason createdBy createdAt startedAt completedAt dagId
dagRunUrl planHash progress validationChecks canary awaitingApproval attention failurePhase warnings
rollbackInfo links"""
SECTION_6 = frozenset(_REQUEST_AND_MORE.split())


async def test_create_is_201_with_the_whole_body_of_section_6(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post(UPGRADES, json=world.request(strategy="RECREATE", canaryPercentage=50, initiatedBy="ci"))
    assert response.status_code == 201
    body = response.json()
    assert set(body) == SECTION_6
    assert response.headers["Location"] == f"/api/v1/registry/upgrades/{body['id']}" == body["links"]["self"]
    assert (body["status"], body["createdBy"], body["initiatedBy"]) == ("PENDING", "alice", "ci")
    assert (body["totalInstances"], body["canary"]["instances"]) == (4, [])
    assert [each["name"] for each in body["validationChecks"]] == [name.value for name in CheckName]
    assert body["createdAt"].endswith("Z")
    assert body["dagRunUrl"] is None


async def test_created_execution_is_read_back_as_it_was_returned(api: httpx.AsyncClient, world: World) -> None:
    created = (await api.post(UPGRADES, json=world.request())).json()
    active = await api.get(f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active")
    assert (await api.get(f"/upgrades/{created['id']}")).json() == created == active.json()


@pytest.mark.parametrize("strategy", [*Strategy])
async def test_create_accepts_every_strategy(api: httpx.AsyncClient, world: World, strategy: str) -> None:
    response = await api.post(UPGRADES, json=world.request(strategy=strategy))
    assert (response.status_code, response.json()["strategy"]) == (201, strategy)


@pytest.mark.parametrize("strategy", [*Strategy])
async def test_dry_run_plans_every_strategy(api: httpx.AsyncClient, world: World, strategy: str) -> None:
    response = await api.post(UPGRADES, params={"dryRun": "true"}, json=world.request(strategy=strategy))
    assert (response.status_code, response.json()["validation"]["valid"]) == (200, True)


async def test_dry_run_returns_the_plan_and_stores_nothing(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post(UPGRADES, params={"dryRun": "true"}, json=world.request(batchSize=3, totalInstances=4))
    assert response.status_code == 200
    body = response.json()
    assert [len(batch["instances"]) for batch in body["plan"]["batches"]] == [3, 1]
    assert body["validation"] | {"checks": []} == {"valid": True, "blockers": [], "warnings": [], "checks": []}
    assert {each["name"]: each["status"] for each in body["validation"]["checks"]} == dict.fromkeys(CheckName, "PASSED")
    assert (world.rows("execution"), world.rows("event")) == (0, 0)


async def test_dry_run_names_the_blockers_when_the_upgrade_would_be_refused(
    api: httpx.AsyncClient, world: World
) -> None:
    request = world.request(totalInstances=5)
    preview = (await api.post(UPGRADES, params={"dryRun": "true"}, json=request)).json()
    refused = await api.post(UPGRADES, json=request)
    assert preview["plan"] is None
    assert preview["validation"]["valid"] is False
    assert (refused.status_code, refused.json()["code"]) == (422, "UPGRADE_BLOCKED")
    assert refused.json()["blockers"] == preview["validation"]["blockers"] != []
    assert world.rows("execution") == 0


async def test_dry_run_reports_every_problem_in_one_call(api: httpx.AsyncClient, world: World) -> None:
    """What creating would refuse, what the checks would find after the start, and who is in the way."""
    version = {"dependencies": {"zk": ">=3.8"}, "minPlatformVersion": "9", "status": "DRAFT"}
    await api.post(f"/components/{COMPONENT}/versions", json={"id": "v4", "version": "4.0.0"} | version)
    active = (await api.post(UPGRADES, json=world.request())).json()
    world.backup.write_bytes(b"short")
    request = world.request(toVersionId="v4", totalInstances=5, strategy="BLUE_GREEN")
    preview = (await api.post(UPGRADES, params={"dryRun": "true"}, json=request)).json()["validation"]
    assert preview["valid"] is False
    for word in (active["id"], "no upgrade path", "is DRAFT", "requires platform", "zk >=3.8", "totalInstances is 5"):
        assert sum(word in text for text in preview["blockers"]) == 1, word
    checks = {each["name"]: (each["status"], each["message"]) for each in preview["checks"]}
    assert {name: status for name, (status, _) in checks.items()} == {
        "VERSION_COMPATIBILITY": "FAILED",
        "RESOURCE_AVAILABILITY": "FAILED",
        "BACKUP_VERIFICATION": "FAILED",
        "HEALTH_ENDPOINTS": "PASSED",
        "DEPENDENCY_CHECK": "FAILED",
    }
    assert "has 5 bytes, 26000 registered" in checks["BACKUP_VERIFICATION"][1]
    assert "BLUE_GREEN needs room" in checks["RESOURCE_AVAILABILITY"][1]


async def test_dry_run_does_not_read_the_whole_backup(api: httpx.AsyncClient, world: World) -> None:
    world.backup.write_bytes(b"X" * world.backup.stat().st_size)
    preview = (await api.post(UPGRADES, params={"dryRun": "true"}, json=world.request())).json()["validation"]
    (found,) = (each for each in preview["checks"] if each["name"] == "BACKUP_VERIFICATION")
    assert (preview["valid"], found["status"]) == (True, "PASSED")
    assert found["message"].endswith("26000 bytes; its sha256 is compared after the start")


async def test_dry_run_is_not_valid_when_a_check_would_fail_after_the_start(
    api: httpx.AsyncClient, world: World
) -> None:
    world.backup.unlink()
    preview = (await api.post(UPGRADES, params={"dryRun": "true"}, json=world.request())).json()["validation"]
    assert (preview["valid"], preview["blockers"]) == (False, [])
    assert [each["name"] for each in preview["checks"] if each["status"] == "FAILED"] == ["BACKUP_VERIFICATION"]
    assert (await api.post(UPGRADES, json=world.request())).status_code == 201


async def test_second_create_is_refused_when_the_first_is_not_finished(api: httpx.AsyncClient, world: World) -> None:
    first = (await api.post(UPGRADES, json=world.request())).json()
    second = await api.post(UPGRADES, json=world.request())
    assert (second.status_code, second.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    assert second.json()["activeExecutionId"] == first["id"]


async def test_one_of_concurrent_creates_succeeds_and_the_others_get_its_id(
    api: httpx.AsyncClient, world: World
) -> None:
    answers = await asyncio.gather(*(api.post(UPGRADES, json=world.request()) for _ in range(4)))
    won = [each.json() for each in answers if each.status_code == 201]
    lost = [each.json() for each in answers if each.status_code == 409]
    assert (len(won), len(lost)) == (1, 3)
    assert {each["activeExecutionId"] for each in lost} == {won[0]["id"]}
    assert (world.rows("execution"), world.rows("event")) == (1, 1)


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"batchsize": 5}, ["batchsize"]),
        ({"batchSize": "5"}, ["batchSize"]),
        ({"batchSize": True}, ["batchSize"]),
        ({"batchSize": 5.5}, ["batchSize"]),
        ({"batchSize": None, "totalInstances": None}, ["batchSize", "totalInstances"]),
        (
            {"batchSize": 0, "canaryPercentage": 101, "soakSeconds": -1},
            ["canaryPercentage", "batchSize", "soakSeconds"],
        ),
        ({"toVersionId": OLD}, ["toVersionId"]),
        ({"componentId": "no id", "strategy": "rolling"}, ["componentId", "strategy"]),
        ({"strategy": "STAGED", "stagePercentages": [50, 20, 100]}, ["stagePercentages"]),
        ({"strategy": "ROLLING", "stagePercentages": [50, 100]}, ["stagePercentages"]),
        ({"initiatedBy": "nul\x00"}, ["initiatedBy"]),
        ({"installedComponents": {"kafka": 3}}, ["installedComponents.kafka"]),
    ],
)
async def test_create_refuses_bad_fields_naming_each_and_stores_nothing(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any], fields: list[str]
) -> None:
    response = await api.post(UPGRADES, json=world.request(**changed))
    body = response.json()
    assert (response.status_code, body["code"]) == (422, "VALIDATION_FAILED")
    assert response.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in body["errors"]] == fields
    assert all(each["message"] for each in body["errors"])
    assert world.rows("execution") == 0


@pytest.mark.parametrize(
    "changed",
    [{"componentId": "zzz"}, {"fromVersionId": "zzz"}, {"toVersionId": "zzz"}],
    ids=lambda changed: next(iter(changed)),
)
async def test_create_is_404_when_an_id_is_unknown(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any]
) -> None:
    response = await api.post(UPGRADES, json=world.request(**changed))
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert "zzz" in response.json()["detail"]
    assert world.rows("execution") == 0


async def test_create_is_404_when_the_tenant_has_no_deployment(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post("/tenants/other/upgrades", json=world.request())
    assert response.status_code == 404
    assert world.rows("execution") == 0


async def test_create_is_422_when_a_version_is_of_another_component(api: httpx.AsyncClient, world: World) -> None:
    await api.post("/components", json={"id": "other", "name": "other"})
    await api.post("/components/other/versions", json={"id": "other-1", "version": "1.0"})
    response = await api.post(UPGRADES, json=world.request(toVersionId="other-1"))
    assert (response.status_code, response.json()["code"]) == (422, "VERSION_MISMATCH")
    assert world.rows("execution") == 0


async def test_create_refuses_in_the_specified_order(api: httpx.AsyncClient, world: World) -> None:
    """Of several mistakes in one request, the first by the order of the specification is reported."""
    await api.post("/components", json={"id": "other", "name": "other"})
    await api.post("/components/other/versions", json={"id": "other-1", "version": "1.0"})
    assert (await api.post(UPGRADES, json=world.request())).status_code == 201
    with world.connect() as connection:
        connection.execute("UPDATE component_version SET status = 'EOL' WHERE id = 'ccc-333'")
    wrong = {"toVersionId": "other-1"}
    for changed, expected in (
        ({"batchSize": 0, "fromVersionId": "zzz"}, (422, "VALIDATION_FAILED")),
        (wrong | {"fromVersionId": "zzz"}, (404, "NOT_FOUND")),
        (wrong, (422, "VERSION_MISMATCH")),
        ({}, (409, "ACTIVE_UPGRADE_EXISTS")),
    ):
        response = await api.post(UPGRADES, json=world.request(**changed))
        assert (response.status_code, response.json()["code"]) == expected, changed
    assert (await api.post(f"/upgrades/{(await _active(api))}/cancel")).status_code == 200
    response = await api.post(UPGRADES, json=world.request())
    assert (response.status_code, response.json()["code"]) == (422, "UPGRADE_BLOCKED")


async def _active(api: httpx.AsyncClient) -> str:
    return str((await api.get(f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active")).json()["id"])


async def test_plan_is_returned_as_it_was_frozen_at_creation(api: httpx.AsyncClient, world: World) -> None:
    created = (await api.post(UPGRADES, json=world.request(totalInstances=3, batchSize=2))).json()
    plan = (await api.get(f"/upgrades/{created['id']}/plan")).json()
    names = {"hash", "totalInstances", "canary", "batches", "budget", "warnings", "blockers", "estimatedSeconds"}
    assert set(plan) == names
    assert (plan["hash"], plan["totalInstances"]) == (created["planHash"], 3)
    assert [(each["number"], each["kind"], len(each["instances"])) for each in plan["batches"]] == [
        (1, "BATCH", 2),
        (2, "BATCH", 1),
    ]
    assert plan["warnings"] == created["warnings"] == ["partial fleet: 3 of 4 instances are upgraded"]
