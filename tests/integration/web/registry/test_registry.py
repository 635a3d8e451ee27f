"""The component registry over HTTP: components, paths, deployments and backups."""

from typing import Any

import httpx
import pytest

from tests.integration.world import COMPONENT, CONNECTION, NEW, OLD, TENANT, World

PLACE = f"/tenants/{TENANT}/components/{COMPONENT}"
BACKUP = {
    "versionId": OLD,
    "location": "s3://backups/kafka",
    "sizeBytes": 5,
    "sha256": "0" * 64,
    "createdAt": "2026-01-31T12:00:00+02:00",
}


async def test_component_is_created_with_a_generated_id_and_listed(api: httpx.AsyncClient) -> None:
    made = await api.post("/components", json={"name": "postgresql"})
    assert (made.status_code, len(made.json()["id"])) == (201, 36)
    assert made.json() in (await api.get("/components")).json()["items"]


async def test_component_is_409_when_its_id_is_taken(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post("/components", json={"id": COMPONENT, "name": "again"})
    assert (response.status_code, response.json()["code"]) == (409, "ALREADY_EXISTS")
    assert world.rows("component") == 1


async def test_component_has_the_scheme_of_its_versions(api: httpx.AsyncClient) -> None:
    made = [await api.post("/components", json={"name": "n"} | more) for more in ({}, {"versionScheme": "debian"})]
    assert [each.json()["versionScheme"] for each in made] == ["auto", "debian"]


# fault 41
@pytest.mark.parametrize(
    ("scheme", "kind", "downgrade"), [("auto", "PATCH", False), ("openssl", "PATCH", False), ("pep440", "PATCH", True)]
)
async def test_scheme_decides_whether_an_upgrade_path_leads_downwards(
    api: httpx.AsyncClient, scheme: str, kind: str, downgrade: bool
) -> None:
    await api.post("/components", json={"id": "openssl", "name": "OpenSSL", "versionScheme": scheme})
    for version_id, text in (("a", "1.1.1"), ("b", "1.1.1a"), ("c", "1.0.2u" if scheme != "pep440" else "1.0.2")):
        made = await api.post("/components/openssl/versions", json={"id": version_id, "version": text})
        assert made.status_code == 201
    made = await api.post("/upgrade-paths", json={"componentId": "openssl", "fromVersionId": "a", "toVersionId": "b"})
    assert (made.json()["upgradeType"], made.json()["downgrade"]) == (kind, downgrade)
    listed = (await api.get("/upgrade-paths", params={"componentId": "openssl"})).json()["items"]
    assert listed == [made.json()]


async def test_components_are_paged_by_id(api: httpx.AsyncClient) -> None:
    for name in ("c", "a", "b"):
        await api.post("/components", json={"id": name, "name": name})
    first = (await api.get("/components", params={"limit": 3})).json()
    rest = (await api.get("/components", params={"limit": 3, "cursor": first["nextCursor"]})).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ["a", COMPONENT, "b", "c"]
    assert rest["nextCursor"] is None


BAD_COMPONENTS: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "n" * 256}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": None}, "name"),
    ({"name": "n", "versionScheme": "numbers"}, "versionScheme"),
    ({"name": "n", "id": ""}, "id"),
    ({"name": "n", "id": "-x"}, "id"),
    ({"name": "n", "id": "x" * 65}, "id"),
    ({"name": "n", "id": "x\n"}, "id"),
    ({"name": "n", "Description": "x"}, "Description"),
    ({"name": "n", "description": "x" * 10_001}, "description"),
]


@pytest.mark.parametrize(("body", "field"), BAD_COMPONENTS)
async def test_component_is_422_when_a_field_is_wrong(
    api: httpx.AsyncClient, world: World, body: dict[str, Any], field: str
) -> None:
    response = await api.post("/components", json=body)
    assert response.status_code == 422, response.text
    assert [each["field"] for each in response.json()["errors"]] == [field]
    assert world.rows("component") == 1


async def test_upgrade_path_gets_its_risk_from_its_upgrade_type(api: httpx.AsyncClient) -> None:
    await api.post(f"/components/{COMPONENT}/versions", json={"id": "v4", "version": "4.0.0"})
    body = {"componentId": COMPONENT, "fromVersionId": NEW, "toVersionId": "v4", "upgradeSteps": ["a", "b"]}
    made = await api.post("/upgrade-paths", json=body)
    assert (made.status_code, made.json()["riskLevel"], made.json()["upgradeSteps"]) == (201, "HIGH", ["a", "b"])
    again = await api.post("/upgrade-paths", json=body)
    assert again.status_code == 409
    assert len((await api.get("/upgrade-paths", params={"componentId": COMPONENT})).json()["items"]) == 2
    assert (await api.get("/upgrade-paths", params={"componentId": "other"})).json()["items"] == []


async def test_upgrade_path_is_422_when_a_version_is_of_another_component(api: httpx.AsyncClient, world: World) -> None:
    await api.post("/components", json={"id": "other", "name": "other"})
    body = {"componentId": "other", "fromVersionId": NEW, "toVersionId": OLD}
    response = await api.post("/upgrade-paths", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "VERSION_MISMATCH")
    assert world.rows("upgrade_path") == 1


async def test_deployment_is_replaced_when_it_is_put_again(api: httpx.AsyncClient, world: World) -> None:
    body = {"driver": "agent", "connId": CONNECTION, "fleet": world.fleet, "currentVersionId": NEW}
    replaced = await api.put(f"{PLACE}/deployment", json=body)
    assert replaced.status_code == 200
    assert replaced.json() == {"tenantId": TENANT, "componentId": COMPONENT, "mixed": None, **body}
    assert (await api.get(f"{PLACE}/deployment")).json() == replaced.json()


async def test_deployment_is_not_replaced_while_an_upgrade_is_active(api: httpx.AsyncClient, world: World) -> None:
    created = (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())).json()
    body = {"driver": "agent", "connId": CONNECTION, "fleet": "another", "currentVersionId": OLD}
    response = await api.put(f"{PLACE}/deployment", json=body)
    assert (response.status_code, response.json()["activeExecutionId"]) == (409, created["id"])
    same = await api.put(f"{PLACE}/deployment", json=body | {"fleet": world.fleet})
    assert same.status_code == 200


async def test_deployment_is_422_when_it_names_a_url_or_another_driver(api: httpx.AsyncClient) -> None:
    body = {"driver": "ssh", "connId": "http://elsewhere", "fleet": "f", "currentVersionId": OLD}
    response = await api.put(f"{PLACE}/deployment", json=body)
    assert [each["field"] for each in response.json()["errors"]] == ["driver", "connId"]


async def test_backups_are_listed_newest_first(api: httpx.AsyncClient) -> None:
    made = await api.post(f"{PLACE}/backups", json=BACKUP)
    assert (made.status_code, made.json()["createdAt"]) == (201, "2026-01-31T10:00:00Z")
    first = (await api.get(f"{PLACE}/backups", params={"limit": 1})).json()
    rest = (await api.get(f"{PLACE}/backups", params={"limit": 1, "cursor": first["nextCursor"]})).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ["backup-1", made.json()["id"]]
    assert rest["nextCursor"] is None


async def test_backup_is_registered_with_the_time_limit_that_follows_its_size(api: httpx.AsyncClient) -> None:
    made = await api.post(f"{PLACE}/backups", json=BACKUP | {"sizeBytes": 60 << 30})
    assert (made.status_code, made.json()["verificationLimitSeconds"]) == (201, 1288.8)
    assert made.json() in (await api.get(f"{PLACE}/backups")).json()["items"]


# fault 45, fault 46, fault 47
async def test_backup_that_cannot_be_verified_is_422_with_every_reason(api: httpx.AsyncClient, world: World) -> None:
    changed = {"location": "memory://here", "createdAt": "2999-01-01T00:00:00Z", "sizeBytes": 1 << 62}
    response = await api.post(f"{PLACE}/backups", json=BACKUP | changed)
    said = {each["field"]: each["message"] for each in response.json()["errors"]}
    assert (response.status_code, said.keys()) == (422, changed.keys())
    assert "must begin with one of file:///, s3://" in said["location"]
    assert "is in the future: the server's time is " in said["createdAt"]
    assert "at most 6 h are accepted" in said["sizeBytes"]
    assert world.rows("backup") == 1


@pytest.mark.parametrize("changed", [{"sizeBytes": -1}, {"sha256": "0"}, {"location": "here"}, {"createdAt": 1}])
async def test_backup_is_422_when_a_field_is_wrong(
    api: httpx.AsyncClient, world: World, changed: dict[str, Any]
) -> None:
    response = await api.post(f"{PLACE}/backups", json=BACKUP | changed)
    assert [each["field"] for each in response.json()["errors"]] == list(changed)
    assert world.rows("backup") == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/components/zzz/versions", None),
        ("POST", "/components/zzz/versions", {"version": "1.0"}),
        ("PUT", "/versions/zzz/status", {"status": "EOL"}),
        ("POST", "/upgrade-paths", {"componentId": "zzz", "fromVersionId": OLD, "toVersionId": NEW}),
        ("POST", "/upgrade-paths", {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": "zzz"}),
        ("GET", "/tenants/zzz/components/aaa-111/deployment", None),
        ("POST", f"/tenants/{TENANT}/components/zzz/backups", BACKUP),
        ("POST", f"{PLACE}/backups", BACKUP | {"versionId": "zzz"}),
        ("GET", f"/tenants/{TENANT}/components/zzz/backups", None),
    ],
)
async def test_unknown_parent_is_404(api: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    response = await api.request(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert "zzz" in response.json()["detail"]
