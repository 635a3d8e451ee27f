import httpx

from tests.integration.web.authentication import Authentication
from tests.integration.web.endings import ended
from tests.integration.world import COMPONENT, TENANT, World
from upgrade_orchestrator.domain.operations.permissions import Permission

PATH = f"/components/{COMPONENT}/upgrade-statistics"
UPGRADES = f"/tenants/{TENANT}/upgrades"
SEED = {
    "componentId",
    "totalExecutions",
    "successfulExecutions",
    "failedExecutions",
    "successRate",
    "averageDurationSeconds",
}
MORE = {
    "cancelledExecutions",
    "activeExecutions",
    "p50DurationSeconds",
    "p95DurationSeconds",
    "averagePausedSeconds",
    "byStrategy",
}


async def test_statistics_have_every_specified_field(api: httpx.AsyncClient, world: World) -> None:
    for status, seconds in (("COMPLETED", 10), ("COMPLETED", 30), ("FAILED", 500), ("ROLLED_BACK", 500)):
        await ended(api, world, status, seconds)
    await ended(api, world, "COMPLETED", 80, strategy="CANARY")
    await ended(api, world, "CANCELLED", 500)
    await api.post(UPGRADES, json=world.request(strategy="STAGED"))
    body = (await api.get(PATH)).json()
    assert set(body) == SEED | MORE
    assert (body["componentId"], body["totalExecutions"]) == (COMPONENT, 7)
    assert (body["successfulExecutions"], body["failedExecutions"], body["successRate"]) == (3, 2, 60.0)
    assert (body["cancelledExecutions"], body["activeExecutions"]) == (1, 1)
    assert (body["averageDurationSeconds"], body["p50DurationSeconds"], body["p95DurationSeconds"]) == (40, 30, 75)
    assert body["averagePausedSeconds"] == 2
    split = body["byStrategy"]
    assert set(split) == {"ROLLING", "CANARY", "STAGED"}
    assert all(set(each) == (SEED | MORE) - {"componentId", "byStrategy"} for each in split.values())
    assert (split["ROLLING"]["averageDurationSeconds"], split["ROLLING"]["successRate"]) == (20, 50.0)
    assert (split["STAGED"]["activeExecutions"], split["STAGED"]["averageDurationSeconds"]) == (1, 0)


async def test_statistics_without_executions_are_numbers_and_never_null(api: httpx.AsyncClient) -> None:
    body = (await api.get(PATH)).json()
    assert (body.pop("componentId"), body.pop("byStrategy")) == (COMPONENT, {})
    assert set(body.values()) == {0}
    assert None not in body.values()


async def test_statistics_of_an_unknown_component_are_404(api: httpx.AsyncClient) -> None:
    response = await api.get("/components/zzz/upgrade-statistics")
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert "zzz" in response.json()["detail"]


async def test_statistics_require_the_permission_to_read(
    api: httpx.AsyncClient, authentication: Authentication
) -> None:
    assert (await api.get(PATH, headers=authentication.admit("victor", [Permission.READ]))).status_code == 200
    assert (await api.get(PATH, headers=authentication.admit("nina", []))).status_code == 403
