"""Upgrade paths over HTTP: their type, and routes from one version to another (specification section 1)."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.integration.world import COMPONENT, NEW, OLD, World

Register = Callable[..., Awaitable[None]]
VERSIONS = {"v361": "3.6.1", "v38": "3.8.0", "v4": "4.0.0"}


@pytest.fixture
def register(api: httpx.AsyncClient) -> Register:
    """Registers the versions besides the world's 3.6.0 and 3.7.0, and paths such as ("bbb-222", "v38")."""

    async def register(*ways: tuple[str, str], **fields: Any) -> None:
        for version_id, text in VERSIONS.items():
            await api.post(f"/components/{COMPONENT}/versions", json={"id": version_id, "version": text})
        for source, target in ways:
            body = {"componentId": COMPONENT, "fromVersionId": source, "toVersionId": target, **fields}
            made = await api.post("/upgrade-paths", json={"id": f"{source}_{target}", **body})
            assert made.status_code == 201, made.text

    return register


async def calculated(api: httpx.AsyncClient, source: str, target: str) -> dict[str, Any]:
    params = {"componentId": COMPONENT, "fromVersionId": source, "toVersionId": target}
    response = await api.get("/upgrade-paths/calculate", params=params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def ids(steps: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in steps]


def ways(edges: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["fromVersion"], each["toVersion"], each["upgradeType"]) for each in edges]


@pytest.mark.parametrize(
    ("source", "target", "kind", "risk", "downgrade"),
    [
        (OLD, "v361", "PATCH", "LOW", False),
        (OLD, "v38", "MINOR", "MEDIUM", False),
        (OLD, "v4", "MAJOR", "HIGH", False),
        ("v361", OLD, "PATCH", "LOW", True),
        ("v4", NEW, "MAJOR", "HIGH", True),
    ],
)
async def test_upgrade_path_gets_its_type_and_its_risk_from_its_versions(
    api: httpx.AsyncClient, register: Register, source: str, target: str, kind: str, risk: str, downgrade: bool
) -> None:
    await register((source, target))
    found = (await api.get("/upgrade-paths", params={"componentId": COMPONENT})).json()["items"]
    (made,) = (each for each in found if each["id"] == f"{source}_{target}")
    assert (made["upgradeType"], made["riskLevel"], made["downgrade"]) == (kind, risk, downgrade)


async def test_upgrade_path_keeps_a_given_risk(api: httpx.AsyncClient, register: Register) -> None:
    await register((OLD, "v4"), riskLevel="LOW")
    assert (await calculated(api, OLD, "v4"))["totals"]["riskLevel"] == "LOW"


async def test_direct_path_is_the_best_route(api: httpx.AsyncClient, register: Register) -> None:
    await register((NEW, "v4"), (OLD, "v4"), estimatedDurationMinutes=30)
    body = await calculated(api, OLD, "v4")
    assert (body["found"], ids(body["steps"])) == (True, [f"{OLD}_v4"])
    assert (body["fromVersion"], body["toVersion"], body["upgradeType"], body["downgrade"]) == (
        "3.6.0",
        "4.0.0",
        "MAJOR",
        False,
    )
    assert body["totals"] == {
        "steps": 1,
        "riskLevel": "HIGH",
        "requiresDowntime": False,
        "tested": False,
        "estimatedDurationMinutes": 30,
    }
    (other,) = body["alternatives"]
    assert ids(other["steps"]) == ["path-1", f"{NEW}_v4"]
    assert (other["totals"]["steps"], other["totals"]["estimatedDurationMinutes"]) == (2, None)
    assert (body["missingEdges"], body["closedPaths"], body["blockers"]) == ([], [], [])


async def test_route_of_several_upgrades_has_the_sum_of_their_durations(
    api: httpx.AsyncClient, register: Register
) -> None:
    await register((OLD, "v38"), estimatedDurationMinutes=10, tested=True)
    await register(("v38", "v4"), estimatedDurationMinutes=5, requiresDowntime=True, tested=True)
    body = await calculated(api, OLD, "v4")
    assert ids(body["steps"]) == [f"{OLD}_v38", "v38_v4"]
    assert body["totals"] == {
        "steps": 2,
        "riskLevel": "HIGH",
        "requiresDowntime": True,
        "tested": True,
        "estimatedDurationMinutes": 15,
    }


async def test_closed_path_is_not_used_in_a_route_but_named(api: httpx.AsyncClient, register: Register) -> None:
    await register((OLD, "v38"), ("v38", "v4"))
    await register((OLD, "v4"), blockers=["loses data"])
    body = await calculated(api, OLD, "v4")
    assert body["totals"]["steps"] == 2
    assert [(each["id"], each["reasons"]) for each in body["closedPaths"]] == [(f"{OLD}_v4", ["loses data"])]


async def test_missing_paths_are_named_smallest_jump_first_when_there_is_no_route(
    api: httpx.AsyncClient, register: Register
) -> None:
    await register(("v38", "v4"))
    body = await calculated(api, OLD, "v4")
    assert (body["found"], body["steps"], body["totals"], body["alternatives"]) == (False, [], None, [])
    assert (body["reachableFromSource"], body["leadingToTarget"]) == ([OLD, NEW], ["v38", "v4"])
    assert ways(body["missingEdges"]) == [
        ("3.7.0", "3.8.0", "MINOR"),
        ("3.6.0", "3.8.0", "MINOR"),
        ("3.7.0", "4.0.0", "MAJOR"),
        ("3.6.0", "4.0.0", "MAJOR"),
    ]
    await register((NEW, "v38"))
    assert ids((await calculated(api, OLD, "v4"))["steps"]) == ["path-1", f"{NEW}_v38", "v38_v4"]


async def test_target_that_is_not_stable_has_no_route_and_the_reason_is_given(
    api: httpx.AsyncClient, register: Register
) -> None:
    await register((OLD, "v4"))
    await api.put("/versions/v4/status", json={"status": "DEPRECATED"})
    body = await calculated(api, OLD, "v4")
    assert (body["found"], ids(body["closedPaths"]), body["missingEdges"]) == (False, [f"{OLD}_v4"], [])
    assert body["blockers"][0].startswith("version 4.0.0 is DEPRECATED")


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"fromVersionId": None}, 422, "fromVersionId"),
        ({"componentId": None}, 422, "componentId"),
        ({"toVersionId": OLD}, 422, "toVersionId"),
        ({"toVersionId": "a b"}, 422, "toVersionId"),
        ({"toVersionID": NEW}, 422, "toVersionID"),
        ({"componentId": "zzz"}, 404, "zzz"),
        ({"fromVersionId": "zzz"}, 404, "zzz"),
        ({"toVersionId": "zzz"}, 404, "zzz"),
    ],
)
async def test_route_calculation_without_required_fields_is_refused(
    api: httpx.AsyncClient, changed: dict[str, Any], status: int, field: str
) -> None:
    params = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW} | changed
    response = await api.get("/upgrade-paths/calculate", params={k: v for k, v in params.items() if v is not None})
    assert response.status_code == status, response.text
    body = response.json()
    assert field in (body["detail"] if status == 404 else [each["field"] for each in body["errors"]])


async def test_route_calculation_is_422_when_a_version_is_of_another_component(
    api: httpx.AsyncClient, register: Register
) -> None:
    await api.post("/components", json={"id": "other", "name": "other"})
    await api.post("/components/other/versions", json={"id": "foreign", "version": "1.0"})
    for changed in ({"fromVersionId": "foreign"}, {"toVersionId": "foreign"}):
        params = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW} | changed
        response = await api.get("/upgrade-paths/calculate", params=params)
        assert (response.status_code, response.json()["code"]) == (422, "VERSION_MISMATCH")


BAD_PATHS: list[tuple[dict[str, Any], str]] = [
    ({"toVersionId": OLD}, "toVersionId"),
    ({"riskLevel": "low"}, "riskLevel"),
    ({"tested": "true"}, "tested"),
    ({"estimatedDurationMinutes": 0}, "estimatedDurationMinutes"),
    ({"estimatedDurationMinutes": 1.5}, "estimatedDurationMinutes"),
    ({"upgradeSteps": "restart"}, "upgradeSteps"),
    ({"upgradeSteps": [1]}, "upgradeSteps.0"),
    ({"blockers": ["x"] * 201}, "blockers"),
    ({"upgradeType": "MINOR"}, "upgradeType"),
    ({"id": "../x"}, "id"),
    ({"notes": "a\x00"}, "notes"),
]


@pytest.mark.parametrize(("changed", "field"), BAD_PATHS)
async def test_upgrade_path_is_422_when_a_field_is_wrong(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any], field: str
) -> None:
    body = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW} | changed
    response = await api.post("/upgrade-paths", json=body)
    assert response.status_code == 422, response.text
    assert [each["field"] for each in response.json()["errors"]] == [field]
    assert world.rows("upgrade_path") == 1
