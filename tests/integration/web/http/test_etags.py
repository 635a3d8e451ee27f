import httpx
import pytest

from tests.integration.world import COMPONENT, TENANT, World

UPGRADES = f"/tenants/{TENANT}/upgrades"
ACTIVE = f"/tenants/{TENANT}/components/{COMPONENT}/upgrades/active"


@pytest.fixture
async def path(api: httpx.AsyncClient, world: World) -> str:
    """The path of an execution in PENDING."""
    return f"/upgrades/{(await api.post(UPGRADES, json=world.request())).json()['id']}"


async def test_unchanged_execution_is_304_without_a_body(api: httpx.AsyncClient, path: str) -> None:
    for each in (path, ACTIVE):
        tag = (await api.get(each)).headers["ETag"]
        for given in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = await api.get(each, headers={"If-None-Match": given})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


async def test_changed_execution_is_returned_with_another_etag(api: httpx.AsyncClient, world: World, path: str) -> None:
    tag = (await api.get(path)).headers["ETag"]
    await api.post(f"{path}/start")
    started = await api.get(path, headers={"If-None-Match": tag})
    assert (started.status_code, started.json()["status"]) == (200, "VALIDATING")
    assert started.headers["ETag"] != tag
    with world.connect() as connection:
        connection.execute("UPDATE instance SET status = 'FAILED' WHERE position = 0 AND batch = 1")
    failed = await api.get(path, headers={"If-None-Match": started.headers["ETag"]})
    assert (failed.status_code, failed.json()["progress"]["failed"]) == (200, 1)


async def test_running_execution_keeps_its_etag_when_only_its_estimate_changes(
    api: httpx.AsyncClient, path: str
) -> None:
    await api.post(f"{path}/start")
    assert (await api.get(path)).headers["ETag"] == (await api.get(path)).headers["ETag"]


@pytest.mark.parametrize("given", ['""', "nonsense", 'W/"0"', ""])
async def test_execution_is_returned_in_full_for_another_etag(api: httpx.AsyncClient, path: str, given: str) -> None:
    assert (await api.get(path, headers={"If-None-Match": given})).status_code == 200


async def test_etag_bypasses_neither_authentication_nor_404(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path, headers={"If-None-Match": "*", "Authorization": ""})).status_code == 401
    assert (await api.get("/upgrades/none", headers={"If-None-Match": "*"})).status_code == 404
