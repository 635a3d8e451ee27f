"""A component's page with hostile texts everywhere, and with nothing in it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from tests.browser.markup import Element
from tests.store_contract.entries import BACKUP, DEPLOYMENT, PATH, VERSION
from tests.unit.domain.builders import NOW
from tests.unit.web.rendering import HOSTILE, rendered, request_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary, LastUpgrade
from upgrade_orchestrator.service.views.components import ComponentDetail
from upgrade_orchestrator.service.views.fleet_look import FleetLook
from upgrade_orchestrator.web.view.registry.components import ComponentQuery, ComponentsQuery, page_values

COMPONENT = Component(id="aaa-111", name=HOSTILE, description=HOSTILE)
VERSIONS = [
    replace(VERSION, version=HOSTILE, notes=HOSTILE, dependencies={HOSTILE: HOSTILE}, min_platform_version=HOSTILE),
    *(ComponentVersion(id=each, component_id="aaa-111", version=f"{HOSTILE}{each}") for each in ("bbb-222", "ccc-333")),
]
LAST = LastUpgrade("t", "e-1", ExecutionStatus.COMPLETED, HOSTILE, HOSTILE, NOW)
FULL = ComponentDetail(
    component=COMPONENT,
    scheme=Scheme.TEXT,
    versions=VERSIONS,
    paths=[replace(PATH, blockers=(HOSTILE,), notes=HOSTILE, upgrade_steps=(HOSTILE,))],
    deployments=[replace(DEPLOYMENT, fleet=HOSTILE, conn_id=HOSTILE, mixed={HOSTILE: 2})],
    running={"bbb-222": 1},
    last={"t": LAST},
    backups=[replace(BACKUP, location=HOSTILE, created_at=NOW - timedelta(days=2))],
    now=NOW,
)
EMPTY = replace(FULL, versions=[], paths=[], deployments=[], running={}, last={}, backups=[])


def of(detail: ComponentDetail, *, limited: bool = False, operable: frozenset[str] | None = None) -> Element:
    more = {"limited": limited, "operable": operable, "max_age": timedelta(days=1)}
    values = page_values(detail, ComponentQuery()) | more
    return rendered(request_of("/view/components/aaa-111"), "component.html", **values)


def harmless(page: Element) -> None:
    sources = [each["src"].rpartition("/")[2] for each in page.all("script")]
    assert sources == ["theme.js", "frames.js", "registry.js"][: len(sources)]
    assert not page.has("img[onerror]")
    names = {name for each in page.elements() for name in each.attributes}
    assert not [each for each in names if each.startswith("on") or each == "style"]
    addresses = [each["href"] for each in page.all("[href]")]
    assert {each for each in addresses if urlsplit(each).scheme or each.startswith("/")} == set()
    assert "49" not in page.text.split()


def test_hostile_text_is_shown_as_text_on_the_components_page() -> None:
    page = of(FULL)
    harmless(page)
    assert page.one("h1").text == HOSTILE
    for part in ("#paths", "#versions", "#deployments", "#backups"):
        assert HOSTILE in page.one(part).text


def test_hostile_text_is_shown_as_text_in_list_and_look() -> None:
    rows = [ComponentSummary(COMPONENT, 1, HOSTILE, 1, 1)]
    asked = ComponentsQuery(text=HOSTILE[:90])
    harmless(rendered(request_of("/view/components"), "components.html", rows=rows, asked=asked, more=None))
    look = FleetLook(2, 1, {HOSTILE: 2})
    harmless(rendered(request_of("/view/tenants/t/components/c/fleet"), "component_fleet.html", look=look))


def test_every_entry_of_the_component_is_shown() -> None:
    page = of(FULL)
    assert page.one("#deployment-t .mixed").text == f"2 on {HOSTILE}"
    assert "Completed" in page.one("#deployment-t").text
    assert page.one("#path-p-1 details summary").text == "6 steps"
    assert "Closed" in page.one("#path-p-1").text
    assert "End of life" in page.one("#version-v-1").text or "Deprecated" in page.one("#version-v-1").text
    assert "too old for an upgrade" in page.one("#backup-b-1").text
    assert "1.0 TiB" in page.one("#backup-b-1").text


def test_empty_component_says_what_is_missing_and_how_it_is_added() -> None:
    page = of(EMPTY)
    for part, call in (
        ("#deployments", "PUT /tenants/{tenantId}/components/aaa-111/deployment"),
        ("#paths", "POST /upgrade-paths"),
        ("#versions", "POST /components/aaa-111/versions"),
        ("#backups", "POST /tenants/{tenantId}/components/aaa-111/backups"),
    ):
        assert page.has(f"{part} .empty")
        assert call in page.one(part).text
    assert not page.has("svg.paths")


def test_links_are_those_that_the_caller_may_follow() -> None:
    everything, limited = of(FULL), of(FULL, limited=True, operable=frozenset({"another"}))
    new, statistics = "#deployment-t a[href^=../upgrades/new]", "#head a[href=aaa-111/statistics]"
    assert (everything.has(new), everything.has(statistics)) == (True, True)
    assert (limited.has(new), limited.has(statistics)) == (False, False)
    assert everything.one("#deployment-t [data-fleet]")["data-fleet"] == "../tenants/t/components/aaa-111/fleet"
    assert everything.has("#deployment-t a[href=../upgrades/e-1]")


def test_versions_are_shown_sixty_at_a_time() -> None:
    many = [ComponentVersion(id=f"v{n}", component_id="c", version=f"1.{n}") for n in range(130)]
    detail = replace(FULL, versions=many, paths=[])
    for begins, count, older in ((0, 60, "versions=60"), (60, 60, "versions=120"), (120, 10, None)):
        values = page_values(detail, ComponentQuery(versions=begins))
        assert [each.id for each in values["versions"]] == [each.id for each in many[begins : begins + count]]
        assert values["links"]["versions"] == (f"?{older}" if older else None)
