"""The statistics pages: who may see them, and that charts and tables show what is stored."""

import httpx
import pytest

from tests.browser.markup import Element, read_html
from tests.integration.web.authentication import Authentication
from tests.integration.web.endings import ended
from tests.integration.world import COMPONENT, TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import grant_of
from upgrade_orchestrator.domain.operations.permissions import REGISTRY, Permission, of_tenant

HTML = {"Accept": "text/html"}
OF_COMPONENT, OF_TENANT = f"/view/components/{COMPONENT}/statistics", f"/view/tenants/{TENANT}/statistics"


def figures(page: Element) -> dict[str, str]:
    """The numbers at the top."""
    return {each.one("dt").text: each.one("dd").text for each in page.all(".figures div")}


def line(page: Element, name: str) -> list[str]:
    """The table's cells beside the name."""
    (row,) = (each for each in page.all("table tbody tr") if each.one("th").text == name)
    return [each.text for each in row.all("td")]


@pytest.mark.parametrize("path", [OF_COMPONENT, OF_TENANT])
async def test_statistics_page_shows_ended_upgrades(api: httpx.AsyncClient, world: World, path: str) -> None:
    for status, seconds in (("COMPLETED", 10), ("COMPLETED", 30), ("FAILED", 500)):
        await ended(api, world, status, seconds)
    await ended(api, world, "COMPLETED", 3700, strategy="CANARY")
    page = read_html((await api.get(path, headers=HTML)).text)
    assert len(page.all("svg.chart")) == 4
    assert (figures(page)["Success rate"], figures(page)["Median duration"]) == ("75.0 %", "30 s")
    assert line(page, "Canary")[:6] == ["1", "1", "0", "0", "100.0 %", "1 h 1 min"]
    assert line(page, "Rolling")[:3] == ["3", "2", "1"]
    assert not page.has("[style]")


@pytest.mark.parametrize("path", [OF_COMPONENT, OF_TENANT])
async def test_statistics_page_without_upgrades_says_that_there_are_none(
    api: httpx.AsyncClient, world: World, path: str
) -> None:
    answer = await api.get(path, headers=HTML)
    assert answer.status_code == 200
    page = read_html(answer.text)
    assert (page.all(".empty p")[0].text, page.has("svg.chart")) == ("No upgrade ended in these weeks.", False)


async def test_statistics_page_of_an_unknown_component_is_404(api: httpx.AsyncClient) -> None:
    answer = await api.get("/view/components/zzz/statistics", headers=HTML)
    assert answer.status_code == 404
    assert "there is no component zzz" in answer.text


async def test_statistics_page_requires_the_permission_to_read(
    api: httpx.AsyncClient, authentication: Authentication, world: World
) -> None:
    no_permission, reader = authentication.admit("nina", []), authentication.admit("victor", [Permission.READ])
    for path in (OF_COMPONENT, OF_TENANT):
        assert (await api.get(path, headers=HTML | no_permission)).status_code == 403
        assert (await api.get(path, headers=HTML | reader)).status_code == 200


async def test_statistics_page_of_a_limited_caller_shows_its_tenant_only(
    api: httpx.AsyncClient, authentication: Authentication, world: World
) -> None:
    registry, read = grant_of(Permission.READ, REGISTRY), Permission.READ
    own = authentication.admit_to("tina", {registry, grant_of(read, of_tenant(TENANT))})
    other = authentication.admit_to("tom", {registry, grant_of(read, of_tenant("another"))})
    assert (await api.get(OF_TENANT, headers=HTML | own)).status_code == 200
    assert (await api.get(OF_TENANT, headers=HTML | other)).status_code == 404
    assert (await api.get(OF_COMPONENT, headers=HTML | own)).status_code == 403
