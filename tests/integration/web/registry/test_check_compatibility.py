"""POST /versions/{versionId}/check-compatibility (specification sections 1 and 7)."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.integration.web.apps import SharedApp
from tests.integration.web.authentication import Authentication
from tests.integration.world import COMPONENT, NEW, OLD, World
from upgrade_orchestrator.domain.operations.permissions import Permission


async def make(api: httpx.AsyncClient, **fields: Any) -> None:
    """Version v4 with these fields."""
    made = await api.post(f"/components/{COMPONENT}/versions", json={"id": "v4", "version": "4.0.0", **fields})
    assert made.status_code == 201, made.text


async def checked(api: httpx.AsyncClient, version_id: str = "v4", **body: Any) -> dict[str, Any]:
    response = await api.post(f"/versions/{version_id}/check-compatibility", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_version_without_conditions_is_compatible_without_findings(api: httpx.AsyncClient) -> None:
    await make(api)
    assert await checked(api) == {
        "versionId": "v4",
        "componentId": COMPONENT,
        "version": "4.0.0",
        "platformVersion": None,
        "compatible": True,
        "blockers": [],
        "warnings": [],
        "dependencies": [],
        "path": None,
    }


async def test_each_dependency_is_listed_with_the_finding(api: httpx.AsyncClient) -> None:
    await make(api, dependencies={"zk": ">=3.8", "java": "17.*", "postgresql": ">=15,<18"})
    body = await checked(api, installedComponents={"zk": "3.9.1", "postgresql": "18.0", "unrelated": "x"})
    listed = [
        (each["name"], each["wantedRange"], each["foundVersion"], each["satisfied"]) for each in body["dependencies"]
    ]
    assert listed == [
        ("java", "17.*", None, False),
        ("postgresql", ">=15,<18", "18.0", False),
        ("zk", ">=3.8", "3.9.1", True),
    ]
    assert body["compatible"] is False
    assert body["blockers"] == [each["problem"] for each in body["dependencies"] if not each["satisfied"]]
    assert body["dependencies"][2]["problem"] is None
    right = {"zk": "3.8", "postgresql": "17.9", "java": "17.0.1"}
    assert (await checked(api, installedComponents=right))["compatible"] is True


@pytest.mark.parametrize(
    ("platform", "compatible"), [("3.2", False), ("3.3", True), ("3.9.9", True), ("3.10", True), ("4.0", False)]
)
async def test_platform_outside_the_bounds_blocks(api: httpx.AsyncClient, platform: str, compatible: bool) -> None:
    await make(api, minPlatformVersion="3.3", maxPlatformVersion="3.10")
    body = await checked(api, platformVersion=platform)
    assert (body["compatible"], body["platformVersion"]) == (compatible, platform)


async def test_unknown_platform_blocks(api: httpx.AsyncClient) -> None:
    await make(api, minPlatformVersion="3.3")
    assert "set upgrades_platform_version" in (await checked(api))["blockers"][0]


async def test_platform_that_is_omitted_is_the_configured_one(
    api: httpx.AsyncClient, shared_app: SharedApp, world: World
) -> None:
    shared_app.ports = replace(world.ports, options=replace(world.ports.options, platform_version="3.4"))
    await make(api, minPlatformVersion="3.3")
    assert (await checked(api))["platformVersion"] == "3.4"
    assert (await checked(api, platformVersion="3.2"))["compatible"] is False


async def test_upgrade_path_is_checked_when_the_source_version_is_named(api: httpx.AsyncClient) -> None:
    body = await checked(api, NEW, fromVersionId=OLD)
    assert (body["compatible"], body["path"]["id"], body["path"]["upgradeType"]) == (True, "path-1", "MINOR")
    await make(api)
    assert (await checked(api))["compatible"] is True
    missing = await checked(api, fromVersionId=OLD)
    assert (missing["compatible"], missing["path"]) == (False, None)
    assert missing["blockers"][0].startswith("no upgrade path from 3.6.0 to 4.0.0 is registered: register one")
    down = await checked(api, OLD, fromVersionId=NEW)
    assert down["blockers"][0].startswith("no downgrade path from 3.7.0 to 3.6.0")


@pytest.mark.parametrize(
    ("strategy", "said"),
    [(None, "only strategy RECREATE"), ("ROLLING", "strategy ROLLING does not provide for"), ("RECREATE", None)],
)
async def test_upgrade_path_that_is_untested_of_high_risk_or_with_downtime_warns(
    api: httpx.AsyncClient, strategy: str | None, said: str | None
) -> None:
    await make(api)
    way = {"componentId": COMPONENT, "fromVersionId": NEW, "toVersionId": "v4", "requiresDowntime": True}
    await api.post("/upgrade-paths", json=way)
    body = await checked(api, fromVersionId=NEW, **({"strategy": strategy} if strategy else {}))
    assert body["compatible"] is True
    assert [each for each in body["warnings"] if "downtime" in each and said and said in each] == body["warnings"][2:]
    assert ("tested" in body["warnings"][0], "HIGH risk" in body["warnings"][1]) == (True, True)


async def test_closed_upgrade_path_blocks(api: httpx.AsyncClient) -> None:
    await make(api)
    way = {"componentId": COMPONENT, "fromVersionId": NEW, "toVersionId": "v4", "blockers": ["loses data"]}
    await api.post("/upgrade-paths", json=way)
    assert (await checked(api, fromVersionId=NEW))["blockers"] == ["the path 3.7.0 to 4.0.0 is closed: loses data"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "DRAFT"}, ["is DRAFT"]),
        ({"status": "EOL", "endOfLifeDate": "2020-01-01"}, ["is EOL", "past its end of life (2020-01-01)"]),
        ({"endOfLifeDate": "2020-01-01"}, ["past its end of life (2020-01-01)"]),
        ({"endOfLifeDate": "2999-01-01"}, []),
    ],
)
async def test_version_that_is_not_stable_blocks(
    api: httpx.AsyncClient, fields: dict[str, Any], said: list[str]
) -> None:
    await make(api, **fields)
    blockers = (await checked(api))["blockers"]
    assert [word in text for word, text in zip(said, blockers, strict=True)] == [True] * len(said)


async def test_every_finding_is_reported_at_once(api: httpx.AsyncClient) -> None:
    await make(api, status="DRAFT", minPlatformVersion="9", dependencies={"zk": ">=3.8", "java": "17"})
    body = await checked(api, fromVersionId=OLD, platformVersion="3.3")
    assert len(body["blockers"]) == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"installedComponents": {"zk": 3}}, "installedComponents.zk"),
        ({"installedComponents": ["zk"]}, "installedComponents"),
        ({"installedComponents": {f"c{n}": "1" for n in range(201)}}, "installedComponents"),
        ({"platformVersion": "newest"}, "platformVersion"),
        ({"platformVersion": 3}, "platformVersion"),
        ({"fromVersionId": "a b"}, "fromVersionId"),
        ({"fromVersionId": NEW}, "fromVersionId"),
        ({"strategy": "rolling"}, "strategy"),
        ({"installed": {}}, "installed"),
    ],
)
async def test_check_is_422_when_a_field_is_wrong(api: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    response = await api.post(f"/versions/{NEW}/check-compatibility", json=body)
    assert response.status_code == 422, response.text
    assert [each["field"] for each in response.json()["errors"]] == [field]


async def test_check_is_404_for_an_unknown_version_and_422_for_one_of_another_component(api: httpx.AsyncClient) -> None:
    assert (await api.post("/versions/zzz/check-compatibility", json={})).status_code == 404
    response = await api.post(f"/versions/{NEW}/check-compatibility", json={"fromVersionId": "zzz"})
    assert (response.status_code, "zzz" in response.json()["detail"]) == (404, True)
    await api.post("/components", json={"id": "other", "name": "other"})
    await api.post("/components/other/versions", json={"id": "foreign", "version": "1.0"})
    response = await api.post(f"/versions/{NEW}/check-compatibility", json={"fromVersionId": "foreign"})
    assert (response.status_code, response.json()["code"]) == (422, "VERSION_MISMATCH")


async def test_reader_may_check_and_nothing_is_stored(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    reader = authentication.admit("reader", [Permission.READ])
    before = [world.rows(table) for table in ("component_version", "upgrade_path", "event", "execution")]
    response = await api.post(f"/versions/{NEW}/check-compatibility", json={}, headers=reader)
    assert response.status_code == 200
    assert [world.rows(table) for table in ("component_version", "upgrade_path", "event", "execution")] == before
