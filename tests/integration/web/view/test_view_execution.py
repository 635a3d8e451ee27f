"""The page of one execution on the real store: it shows what the API says, and offers what it takes."""

from typing import Any

import httpx
import pytest

from tests.browser.markup import Element, read_html
from tests.integration.store.counting import counted
from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import World
from upgrade_orchestrator.adapters.airflow.auth.permissions import grants_of
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Role

HTML = {"Accept": "text/html"}
S = ExecutionStatus
GROUPS = ("validate", "admit", "stage_01", "end")


def fact(page: Element, name: str) -> str | None:
    """What the page says of it beside the progress; None: nothing."""
    return next((each.one("dd").text for each in page.all("#gauge div") if each.one("dt").text == name), None)


@pytest.fixture
async def staged(api: httpx.AsyncClient, world: World) -> Standing:
    return await standing(api, world, "STAGED")


async def read(api: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> Element:
    response = await api.get(f"/view/upgrades/{path}", headers=HTML | (headers or {}))
    assert response.status_code == 200, response.text
    return read_html(response.text)


@pytest.mark.parametrize("status", S)
async def test_page_and_fragment_show_the_state_of_the_api(
    api: httpx.AsyncClient, staged: Standing, status: ExecutionStatus
) -> None:
    await staged.go(status)
    body: dict[str, Any] = (await api.get(f"/upgrades/{staged.id}")).json()
    for page in (await read(api, staged.id), await read(api, f"{staged.id}/fragment")):
        assert page.one("#head")["data-status"] == body["status"] == status.value
        assert page.one("#why").text == body["statusReason"]
        progress = body["progress"]
        assert fact(page, "Done") == f"{progress['completed']} of {progress['total']} ({progress['percentage']} %)"
        assert ("awaits approval" in page.one("#status-line").text) is (body["awaitingApproval"] is not None)


async def test_fragment_is_the_same_as_in_the_page_with_the_same_links(
    api: httpx.AsyncClient, staged: Standing
) -> None:
    page, part = await read(api, staged.id), await read(api, f"{staged.id}/fragment")
    assert not part.has("html")
    assert [each["id"] for each in page.all("#part [id]")] == [each["id"] for each in part.all("[id]")] != []


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("Upgrade Viewer", []),
        ("Upgrade Operator", ["pause", "rollback", "cancel"]),
        ("Upgrade Approver", ["approve", "reject"]),
        ("Upgrade Admin", ["approve", "pause", "reject", "rollback", "cancel"]),
    ],
)
async def test_role_sees_exactly_the_buttons_of_its_permissions(
    api: httpx.AsyncClient, authentication: Authentication, staged: Standing, role: str, expected: list[str]
) -> None:
    await staged.go(S.IN_PROGRESS)
    page = await read(api, staged.id, authentication.admit_to("olga", grants_of(Role(role))))
    assert [each["id"] for each in page.all("#buttons button")] == [f"button-{each}" for each in expected]
    assert [each["id"] for each in page.all("dialog")] == [f"dialog-{each}" for each in expected]


async def test_page_says_why_a_command_has_no_button(
    api: httpx.AsyncClient, authentication: Authentication, staged: Standing
) -> None:
    await staged.go(S.PAUSED)
    others = (await read(api, staged.id, authentication.admit_to("olga", grants_of(Role.OPERATOR)))).one("#others").text
    assert "Pause only while it is In progress or Canary running" in others
    assert "Approve only while it is In progress; your role may not: Upgrade Approver or Upgrade Admin may" in others
    assert "Resume" not in others


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (S.PENDING, ["Created", "not started"]),
        (S.IN_PROGRESS, ["Started", "running since"]),
        (S.COMPLETED, ["Started", "ended", "took"]),
    ],
)
async def test_head_says_when_it_started_and_ended_and_how_long_it_took(
    api: httpx.AsyncClient, staged: Standing, status: ExecutionStatus, said: list[str]
) -> None:
    await staged.go(status)
    body: dict[str, Any] = (await api.get(f"/upgrades/{staged.id}")).json()
    times = (await read(api, staged.id)).one("#times")
    assert [each for each in said if each not in times.text] == []
    shown = [each["datetime"] for each in times.all("time")]
    assert shown[0][:23] == (body["startedAt"] or body["createdAt"])[:23]
    assert status is not S.COMPLETED or shown[-1][:23] == body["completedAt"][:23]


async def test_ended_execution_that_is_not_settled_says_so(api: httpx.AsyncClient, staged: Standing) -> None:
    await staged.go(S.FAILED, settled=False)
    assert "not settled" in (await read(api, staged.id)).one("#times").text
    await staged.go(S.FAILED)
    assert "not settled" not in (await read(api, staged.id)).one("#times").text


async def test_rolled_back_execution_is_red_and_one_rolling_back_is_not(
    api: httpx.AsyncClient, staged: Standing
) -> None:
    for status, tone in ((S.ROLLING_BACK, "back"), (S.ROLLED_BACK, "bad")):
        await staged.go(status)
        page = await read(api, staged.id)
        assert tone in page.one("#head").classes
        assert page.all("#status-line .badge")[0].classes == ["badge", tone]


async def test_creator_sees_why_another_person_has_to_approve(api: httpx.AsyncClient, staged: Standing) -> None:
    await staged.go(S.IN_PROGRESS)
    page = await read(api, staged.id)
    assert "another user has to approve" in page.one("#barred-approve").text
    assert (page.has("#dialog-approve"), page.has("#dialog-reject")) == (False, True)


async def test_call_of_a_button_is_accepted_by_the_api(api: httpx.AsyncClient, staged: Standing) -> None:
    for status in (S.PENDING, S.IN_PROGRESS, S.PAUSED):
        await staged.go(status)
        page = await read(api, staged.id)
        dialog = page.one("#buttons button.first")["data-opens"]
        path = page.one(f"#{dialog}")["data-command"]
        assert (await api.post(f"/upgrades/{staged.id}/{path}")).is_success, (status, path)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (S.PENDING, "–"),
        (S.VALIDATING, "about"),
        (S.IN_PROGRESS, "waits for a decision"),
        (S.PAUSED, "paused"),
        (S.ROLLING_BACK, "–"),
        (S.COMPLETED, None),
    ],
)
async def test_time_left_is_shown_only_while_it_decreases(
    api: httpx.AsyncClient, staged: Standing, status: ExecutionStatus, said: str | None
) -> None:
    await staged.go(status)
    shown = fact(await read(api, staged.id), "Time left")
    assert shown == said if said is None else shown is not None and shown.startswith(said)


async def test_cancel_dialog_shows_the_number_of_affected_instances(api: httpx.AsyncClient, staged: Standing) -> None:
    await staged.go(S.IN_PROGRESS)
    asked = (await read(api, staged.id)).one("#dialog-cancel").text
    assert "1 of 4 instances runs 3.7.0 and stays there." in asked
    assert "3 are not begun and will not be." in asked


async def test_airflow_tasks_are_shown_in_their_groups(api: httpx.AsyncClient, world: World, staged: Standing) -> None:
    await staged.go(S.IN_PROGRESS)
    tasks = {"validate.backup_verification": "success", "admit": "success", "stage_01.upgrade": "running", "end": None}
    world.airflow.show(staged.id, RunView("7", "running", tasks=tasks, name="scheduled__2031"))
    shown = (await read(api, staged.id)).one("#airflow")
    assert "The tasks agree with the execution" in shown.text
    assert [each["id"] for each in shown.all("tbody tr")] == [f"group-{each}" for each in GROUPS]
    assert shown.one("#group-stage_01 a")["href"].endswith("/runs/scheduled__2031/tasks/stage_01.upgrade")
    world.airflow.show(staged.id, RunView("7", "running", paused=True, tasks=tasks))
    assert "The execution is authoritative" in (await read(api, staged.id)).one("#airflow").text


async def test_page_is_shown_while_airflows_database_is_unreachable(
    api: httpx.AsyncClient, world: World, staged: Standing
) -> None:
    await staged.go(S.IN_PROGRESS)
    world.airflow.away = True
    shown = (await read(api, staged.id)).one("#airflow").text
    assert "Airflow has no run of this execution right now" in shown


async def test_execution_page_costs_the_same_statements_for_any_number_of_instances(
    api: httpx.AsyncClient, world: World, staged: Standing, postgres_url: str
) -> None:
    async with counted(postgres_url) as few:
        await read(api, staged.id)
    with world.connect() as connection:
        connection.execute(
            "INSERT INTO instance (execution_id, instance_id, batch, position, status, from_version, to_version)"
            " SELECT %s, 'more-' || n, 1, n, 'FAILED', 'a', 'b' FROM generate_series(10, 300) n",
            (staged.id,),
        )
    async with counted(postgres_url) as many:
        assert (await read(api, staged.id)).all("#wrongs li")[-1].text == "and 271 more"
    assert len(few) == len(many)
