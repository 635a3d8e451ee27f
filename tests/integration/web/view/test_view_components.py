"""The registry's pages and the form's lists on the real store: who sees what, pages, and what they cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.browser.markup import Element, read_html
from tests.integration.store.counting import counted
from tests.integration.web.authentication import Authentication
from tests.integration.web.endings import ended
from tests.integration.world import COMPONENT, CONNECTION, NEW, OLD, TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import grant_of
from upgrade_orchestrator.domain.operations.permissions import REGISTRY, Permission, of_tenant
from upgrade_orchestrator.domain.registry.entries import Backup, Component, Deployment
from upgrade_orchestrator.web.view.registry.components import ROWS

HTML = {"Accept": "text/html"}
PAGE = f"components/{COMPONENT}"
FLEET = f"tenants/{TENANT}/components/{COMPONENT}/fleet"
OTHER = "another-tenant"
MOST_STATEMENTS = 12


async def read(api: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> Element:
    response = await api.get(f"/view/{path}", headers=HTML | (headers or {}))
    assert response.status_code == 200, response.text
    return read_html(response.text)


def limited_to(authentication: Authentication, tenant: str, *more: Permission) -> dict[str, str]:
    """The header of a user of one tenant."""
    granted = {grant_of(each, of_tenant(tenant)) for each in (Permission.READ, *more)}
    return authentication.admit_to("tina", {grant_of(Permission.READ, REGISTRY), *granted})


def ids(page: Element, kind: str) -> list[str]:
    """Of the rows of a table or list."""
    return [each["id"].removeprefix(f"{kind}-") for each in page.all(f"[id^={kind}-]") if each.tag in ("tr", "li")]


async def deploy(world: World, *tenants: str) -> None:
    async with world.ports.work() as work:
        for each in tenants:
            where = {"driver": "agent", "conn_id": CONNECTION, "fleet": f"of-{each}"}
            made: Any = {"tenant_id": each, "component_id": COMPONENT, "current_version_id": OLD, **where}
            await work.registry.put(Deployment(**made))
        await work.commit()


async def back_up(world: World, tenant: str, count: int) -> None:
    made = datetime.now(UTC)
    async with world.ports.work() as work:
        for n in range(count):
            of: Any = {"tenant_id": tenant, "component_id": COMPONENT, "version_id": OLD, "location": "file:///x"}
            at: Any = {"created_at": made - timedelta(hours=n + 30), "size_bytes": 1, "sha256": "0" * 64}
            await work.registry.put(Backup(id=f"{tenant}-{n}", **of, **at))
        await work.commit()


async def test_component_page_shows_versions_paths_deployments_and_backups(
    api: httpx.AsyncClient, world: World
) -> None:
    await ended(api, world, "COMPLETED", 10)
    page = await read(api, PAGE)
    assert ids(page, "version") == [NEW, OLD]
    assert ids(page, "path") == ["path-1"]
    assert page.one("svg.paths a[href=#path-path-1]")["aria-label"].startswith("From 3.6.0 to 3.7.0: ")
    row = page.one(f"#deployment-{TENANT}")
    assert CONNECTION in row.text
    assert "Completed" in row.text
    assert row.one("a[href^=../upgrades/new]")["href"] == f"../upgrades/new?tenant={TENANT}&component={COMPONENT}"
    assert ids(page, "backup") == ["backup-1"]
    assert not page.has("[style]")


async def test_component_page_shows_a_limited_caller_its_tenant_only(
    api: httpx.AsyncClient, authentication: Authentication, world: World
) -> None:
    await deploy(world, OTHER)
    await back_up(world, OTHER, 1)
    everything = await read(api, PAGE)
    assert (ids(everything, "deployment"), ids(everything, "backup")) == ([TENANT, OTHER], ["backup-1", f"{OTHER}-0"])
    caller = limited_to(authentication, TENANT)
    page = await read(api, PAGE, caller)
    assert (ids(page, "deployment"), ids(page, "backup")) == ([TENANT], ["backup-1"])
    assert OTHER not in page.text
    assert "1 deployment" in page.one(f"#version-{OLD}").text
    assert "1 deployment" in (await read(api, "components", caller)).one(f"#row-{COMPONENT}").text
    stranger = limited_to(authentication, "nobody")
    assert ids(await read(api, PAGE, stranger), "deployment") == []


async def test_look_at_a_fleet_is_for_callers_who_may_see_its_tenant(
    api: httpx.AsyncClient, authentication: Authentication, world: World
) -> None:
    await deploy(world, OTHER)
    assert (await read(api, FLEET)).one("#look").text == "4 of 4 instances in service: 4 on 3.6.0"
    assert "in service" in (await read(api, FLEET, limited_to(authentication, TENANT))).one("#look").text
    for tenant in (TENANT, "nobody"):
        path = f"/view/tenants/{tenant}/components/{COMPONENT}/fleet"
        answer = await api.get(path, headers=HTML | limited_to(authentication, OTHER))
        assert answer.status_code == 404, tenant
    unknown = await read(api, f"tenants/{OTHER}/components/{COMPONENT}/fleet")
    assert "Not known" in unknown.one("#look").text


@pytest.mark.parametrize("path", ["components", PAGE, "upgrades/new", "upgrades/new/choices"])
async def test_page_is_refused_without_a_permission(
    api: httpx.AsyncClient, authentication: Authentication, world: World, path: str
) -> None:
    caller = authentication.admit("nina", [])
    assert (await api.get(f"/view/{path}", headers=HTML | caller)).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("components/zzz", 404),
        ("components/%20", 404),
        (f"{PAGE}?versions=-1", 422),
        (f"{PAGE}?deployments=x", 422),
        (f"{PAGE}?backups=x", 422),
        (f"{PAGE}?other=1", 422),
        ("components?cursor=x", 422),
        (f"{PAGE}?versions=5000", 200),
    ],
)
async def test_bad_address_is_refused(api: httpx.AsyncClient, world: World, path: str, status: int) -> None:
    assert (await api.get(f"/view/{path}", headers=HTML)).status_code == status


async def test_lists_are_read_page_by_page(api: httpx.AsyncClient, world: World) -> None:
    tenants = [f"t-{n:02}" for n in range(ROWS + 3)]
    await deploy(world, *tenants)
    await back_up(world, "t-00", ROWS + 2)
    page = await read(api, PAGE)
    assert ids(page, "deployment") == [TENANT, *tenants[: ROWS - 1]]
    more = page.one("#deployments .pager a[rel=next]")["href"]
    assert ids(await read(api, f"components/{more.partition('#')[0]}"), "deployment") == tenants[ROWS - 1 :]
    assert ids(page, "backup") == ["backup-1", *(f"t-00-{n}" for n in range(ROWS - 1))]
    older = page.one("#backups .pager a[rel=next]")["href"]
    rest = await read(api, f"components/{older.partition('#')[0]}")
    assert ids(rest, "backup") == [f"t-00-{n}" for n in range(ROWS - 1, ROWS + 2)]
    assert not rest.has("#backups a[rel=next]")


async def test_components_are_listed_and_searched(api: httpx.AsyncClient, world: World) -> None:
    async with world.ports.work() as work:
        for n in range(ROWS):
            await work.registry.put(Component(id=f"c-{n:02}", name=f"service {n:02}"))
        await work.commit()
    first = await read(api, "components")
    assert ids(first, "row") == [COMPONENT, *(f"c-{n:02}" for n in range(ROWS - 1))]
    rest = await read(api, first.one("#pager a[rel=next]")["href"])
    assert ids(rest, "row") == [f"c-{ROWS - 1:02}"]
    assert ids(await read(api, "components?text=ICE+07"), "row") == ["c-07"]
    assert (await read(api, "components?text=zzz")).one("p.empty").text == "No component matches this search."


async def test_component_page_reads_with_a_fixed_number_of_statements(api: httpx.AsyncClient, world: World) -> None:
    await read(api, PAGE)
    async with counted(world.url) as few:
        await read(api, PAGE)
    await deploy(world, *(f"t-{n}" for n in range(10)))
    await back_up(world, TENANT, 10)
    async with counted(world.url) as many:
        await read(api, PAGE)
    assert len(many) == len(few) <= MOST_STATEMENTS


async def test_pages_link_to_the_component(api: httpx.AsyncClient, world: World) -> None:
    await ended(api, world, "COMPLETED", 10)
    (execution,) = [each["id"] for each in (await api.get(f"/tenants/{TENANT}/upgrades")).json()["items"]]
    assert (await read(api, f"upgrades/{execution}")).has(f"#head a[href=../components/{COMPONENT}]")
    assert (await read(api, f"{PAGE}/statistics")).has(f"main a[href=../../components/{COMPONENT}]")
    assert not (await read(api, f"tenants/{TENANT}/statistics")).has("main a[href^=../../components/]")
    assert (await read(api, "upgrades")).has("nav a[href=./components]")


def options(page: Element, name: str) -> list[tuple[str, bool]]:
    found = page.one(f"select[name={name}]").all("option")
    return [(each["value"], "disabled" in each.attributes) for each in found if each["value"]]


def selected(page: Element, name: str) -> str:
    return page.one(f"select[name={name}] option[selected]")["value"]


@pytest.mark.parametrize("path", ["upgrades/new", "upgrades/new/choices"])
async def test_form_offers_what_a_link_leads_to(api: httpx.AsyncClient, world: World, path: str) -> None:
    page = await read(api, f"{path}?tenant={TENANT}&component={COMPONENT}&toVersion={NEW}")
    assert (selected(page, "tenantId"), selected(page, "componentId")) == (TENANT, COMPONENT)
    assert (selected(page, "fromVersionId"), selected(page, "toVersionId")) == (OLD, NEW)
    assert options(page, "fromVersionId") == [(OLD, False)]
    assert options(page, "toVersionId") == [(NEW, False)]
    assert page.one(f"select[name=componentId] option[value={COMPONENT}]").text == f"kafka · {COMPONENT}"
    for name in ("tenantId", "componentId", "fromVersionId", "toVersionId"):
        assert "required" in page.one(f"select[name={name}]").attributes
        assert "required" in page.one(f"#{name}-field label").text


async def test_form_shows_a_draft_as_not_to_be_chosen_with_a_link(api: httpx.AsyncClient, world: World) -> None:
    assert (await api.put(f"/versions/{NEW}/status", json={"status": "DRAFT"})).status_code == 200
    page = await read(api, f"upgrades/new?tenant={TENANT}&component={COMPONENT}")
    assert options(page, "toVersionId") == [(NEW, True)]
    note = page.one("#toVersionId-notes li")
    assert note.text == "3.7.0 is DRAFT, only STABLE versions are upgraded to. Versions"
    assert note.one("a")["href"] == f"../components/{COMPONENT}#versions"


async def test_form_does_not_tell_of_tenants_in_which_the_caller_may_not_operate(
    api: httpx.AsyncClient, authentication: Authentication, world: World
) -> None:
    await deploy(world, OTHER)
    caller = limited_to(authentication, OTHER, Permission.OPERATE)
    for path in ("upgrades/new", "upgrades/new/choices"):
        page = await read(api, f"{path}?tenant={TENANT}&component={COMPONENT}", caller)
        assert options(page, "tenantId") == [(OTHER, False)]
        assert (options(page, "fromVersionId"), options(page, "toVersionId")) == ([], [])
        assert TENANT not in page.text


async def test_form_says_where_a_missing_deployment_is_made(api: httpx.AsyncClient, world: World) -> None:
    async with world.ports.work() as work:
        await work.registry.put(Component(id="c-9", name="idle"))
        await work.commit()
    page = await read(api, f"upgrades/new?tenant={TENANT}&component=c-9")
    assert ("c-9", True) in options(page, "componentId")
    note = page.one("#componentId-notes li")
    assert note.one("a")["href"] == "../components/c-9#deployments"
    assert f"{TENANT} has no deployment of it" in note.text
