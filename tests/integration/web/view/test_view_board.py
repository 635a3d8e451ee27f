"""The list of the status view on the real store: who sees what, filters, pages, and what it costs."""

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.browser.markup import Element, read_html
from tests.integration.store.counting import counted
from tests.integration.web.authentication import Authentication
from tests.integration.world import COMPONENT, CONNECTION, OLD, TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import grants_of, tenant_roles
from upgrade_orchestrator.domain.operations.permissions import Permission, Role
from upgrade_orchestrator.web.view.board import ROWS

HTML = {"Accept": "text/html"}
OTHER = "another-tenant"


class Board:
    """Reads the list as a given user."""

    def __init__(self, api: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._api, self._headers = api, headers | HTML

    async def page(self, **asked: str) -> Element:
        response = await self._api.get("/view/upgrades", params=asked, headers=self._headers)
        assert response.status_code == 200, response.text
        return read_html(response.text)

    async def ids(self, **asked: str) -> list[str]:
        return rows(await self.page(**asked))


def rows(page: Element) -> list[str]:
    """The ids of the executions that it lists."""
    return [each["id"].removeprefix("row-") for each in page.all("li.row")]


def counts(page: Element) -> dict[str, int]:
    """The numbers above the list."""
    return {each["id"].removeprefix("count-"): int(each.one("b").text) for each in page.all("#counts li")}


@pytest.fixture
async def board(api: httpx.AsyncClient) -> Board:
    return Board(api, {})


async def made(api: httpx.AsyncClient, world: World, tenant: str, **fields: object) -> str:
    fleet = world.fleet if tenant == TENANT else f"{world.fleet}-of-{tenant}"
    if fleet not in {each["fleet"] for each in world.admin.fleets()}:
        world.agent.admin.create(fleet, 4, "3.6.0")
    deployment = {"driver": "agent", "connId": CONNECTION, "fleet": fleet, "currentVersionId": OLD}
    put = await api.put(f"/tenants/{tenant}/components/{COMPONENT}/deployment", json=deployment)
    assert put.status_code == 200, put.text
    created = await api.post(f"/tenants/{tenant}/upgrades", json=world.request(**fields))
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


@pytest.fixture
async def three(api: httpx.AsyncClient, world: World) -> list[str]:
    """Of two tenants, oldest first: one that failed, one STAGED that waits for an approval, one PENDING."""
    failed = await made(api, world, TENANT, strategy="RECREATE", initiatedBy="night-shift")
    with world.connect() as connection:
        connection.execute("UPDATE execution SET status = 'FAILED', completed_at = now(), settled_at = now()")
    staged = await made(api, world, TENANT, strategy="STAGED")
    with world.connect() as connection:
        connection.execute("UPDATE execution SET status = 'IN_PROGRESS', started_at = now() WHERE id = %s", (staged,))
        connection.execute(
            "INSERT INTO approval (execution_id, stage, plan_hash, requested_at)"
            " SELECT id, 2, plan_hash, now() FROM execution WHERE id = %s",
            (staged,),
        )
    return [failed, staged, await made(api, world, OTHER)]


async def test_list_page_is_newest_first_over_all_tenants(board: Board, three: list[str]) -> None:
    assert await board.ids() == three[::-1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": "FAILED"}, [0]),
        ({"status": "ACTIVE"}, [2, 1]),
        ({"status": "AWAITING_APPROVAL"}, [1]),
        ({"status": "COMPLETED"}, []),
        ({"status": "NEEDS_ATTENTION"}, []),
        ({"tenant": OTHER}, [2]),
        ({"tenant": "none"}, []),
        ({"component": COMPONENT}, [2, 1, 0]),
        ({"component": "none"}, []),
        ({"strategy": "STAGED"}, [1]),
        ({"text": "NIGHT"}, [0]),
        ({"text": "3.7"}, [2, 1, 0]),
        ({"text": "another"}, [2]),
        ({"text": "alice"}, [2, 1, 0]),
        ({"text": "%"}, []),
        ({"text": "_"}, []),
        ({"text": "night", "status": "ACTIVE"}, []),
        ({"text": "", "status": "", "tenant": "", "component": "", "strategy": "", "cursor": ""}, [2, 1, 0]),
    ],
    ids=str,
)
async def test_filter_narrows_the_list_page(
    board: Board, three: list[str], asked: dict[str, str], found: list[int]
) -> None:
    assert await board.ids(**asked) == [three[each] for each in found]


async def test_part_of_an_id_finds_the_execution(board: Board, three: list[str]) -> None:
    assert await board.ids(text=three[1][-12:]) == [three[1]]


async def test_executions_that_wait_for_an_approval_or_failed_are_highlighted(board: Board, three: list[str]) -> None:
    page = await board.page()
    failed, staged, pending = (page.one(f"#row-{each}") for each in three)
    assert (failed.classes, staged.classes, pending.classes) == (["row", "bad"], ["row", "warn"], ["row", "idle"])
    assert "Stage 2 awaits approval" in staged.text


async def test_counts_include_unfinished_and_recently_ended_executions(
    board: Board, three: list[str], world: World
) -> None:
    expected = {"ACTIVE": 2, "AWAITING_APPROVAL": 1, "NEEDS_ATTENTION": 0, "PENDING": 1, "IN_PROGRESS": 1}
    assert counts(await board.page()) == expected | {"FAILED": 1}
    with world.connect() as connection:
        connection.execute("UPDATE execution SET completed_at = now() - interval '25 hours' WHERE status = 'FAILED'")
    assert counts(await board.page()) == expected


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Approver"])
async def test_role_of_a_tenant_sees_executions_of_that_tenant_only(
    api: httpx.AsyncClient, authentication: Authentication, three: list[str], role: str
) -> None:
    for tenant, expected in ((TENANT, [1, 0]), (OTHER, [2]), ("a-third", [])):
        granted = tenant_roles(tenant)[f"Upgrade {role} {tenant}"]
        limited = Board(api, authentication.admit_to(f"{role}-{tenant}", granted))
        assert await limited.ids() == [three[each] for each in expected]
        assert await limited.ids(tenant=OTHER) == [three[each] for each in expected if each == 2]
        assert await limited.ids(text=three[0]) == [three[each] for each in expected if each == 0]
        assert counts(await limited.page())["AWAITING_APPROVAL"] == (1 if tenant == TENANT else 0)


@pytest.mark.parametrize("role", ["Upgrade Viewer", "Upgrade Operator", "Upgrade Approver", "Upgrade Admin"])
async def test_role_of_all_tenants_sees_executions_of_every_tenant(
    api: httpx.AsyncClient, authentication: Authentication, three: list[str], role: str
) -> None:
    assert await Board(api, authentication.admit_to(role, grants_of(Role(role)))).ids() == three[::-1]


async def test_user_without_permissions_gets_a_page_that_explains_it(
    api: httpx.AsyncClient, authentication: Authentication, three: list[str]
) -> None:
    response = await api.get("/view/upgrades", headers=authentication.admit("nina", []) | HTML)
    assert response.status_code == 403
    assert three[0] not in response.text
    assert "one of the Upgrade roles" in response.text


@pytest.fixture
async def many(api: httpx.AsyncClient, world: World) -> int:
    """Two pages and a half of running executions, each of a tenant of its own."""
    first = await made(api, world, TENANT)
    copies = ROWS * 5 // 2 - 1
    with world.connect() as connection:
        connection.execute(
            "INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object("
            " 'id', 'f' || lpad(n::text, 6, '0'), 'tenant_id', 'tenant-' || n))).*"
            " FROM execution e, generate_series(1, %s) n",
            (copies,),
        )
    assert first < "f"
    return copies + 1


async def test_pages_hold_every_execution_once_also_when_more_are_made(
    board: Board, world: World, api: httpx.AsyncClient, many: int
) -> None:
    seen, asked = list[str](), {"status": "ACTIVE"}
    while True:
        page = await board.page(**asked)
        seen += rows(page)
        if not page.has("a[rel=next]"):
            break
        asked = dict(parse_qsl(urlsplit(page.one("a[rel=next]")["href"]).query))
        assert asked["status"] == "ACTIVE"
        with world.connect() as connection:
            connection.execute(
                "INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object("
                "'id', 'g' || %s::text, 'tenant_id', 'new-' || %s::text))).* FROM execution e WHERE id = 'f000001'",
                (len(seen), len(seen)),
            )
    assert (len(seen), len(set(seen))) == (many, many)
    assert seen == sorted(seen, reverse=True)


async def test_list_page_costs_the_same_statements_for_any_number_of_executions(
    board: Board, world: World, api: httpx.AsyncClient, three: list[str], postgres_url: str
) -> None:
    async with counted(postgres_url) as few:
        await board.page()
    with world.connect() as connection:
        connection.execute(
            "INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', 'f' || n,"
            " 'tenant_id', 'tenant-' || n))).* FROM execution e, generate_series(1, 60) n WHERE e.strategy = 'STAGED'"
        )
    async with counted(postgres_url) as many:
        await board.page()
    assert len(few) == len(many) == 4  # the snapshot, the page, its approvals, the counts


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "DONE"},
        {"strategy": "rolling"},
        {"tenant": "-no-id"},
        {"cursor": "nonsense"},
        {"limit": "5"},
        {"text": "x" * 101},
    ],
    ids=str,
)
async def test_invalid_filter_is_422_and_named(api: httpx.AsyncClient, asked: dict[str, str]) -> None:
    response = await api.get("/view/upgrades", params=asked)
    assert (response.status_code, [each["field"] for each in response.json()["errors"]]) == (422, list(asked))
    page = await api.get("/view/upgrades", params=asked, headers=HTML)
    assert (page.status_code, page.headers["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert next(iter(asked)) in page.text


async def test_empty_list_page_says_that_there_are_no_upgrades(board: Board) -> None:
    assert (await board.page()).all("#rows p")[0].text == "There are no upgrades yet."
    assert (await board.page(status="FAILED")).all("#rows p")[0].text == "No upgrade matches these filters."


async def test_fragment_for_updates_is_the_same_as_in_the_list_page(
    api: httpx.AsyncClient, board: Board, three: list[str]
) -> None:
    part = read_html((await api.get("/view/board", params={"status": "ACTIVE"}, headers=HTML)).text)
    assert rows(part) == await board.ids(status="ACTIVE")
    assert not part.has("html")


async def test_list_page_requires_the_permission_to_read(
    api: httpx.AsyncClient, authentication: Authentication
) -> None:
    for path in ("/view/upgrades", "/view/board", "/view/changes"):
        assert (await api.get(path, headers=authentication.admit("olga", {Permission.OPERATE}))).status_code == 403
