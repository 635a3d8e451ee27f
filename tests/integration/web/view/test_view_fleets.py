"""What keeps an upgrade from going on, its last event, and its release: on the pages, from the real store."""

import httpx
import pytest

from tests.browser.markup import Element, read_html
from tests.integration.web.authentication import Authentication
from tests.integration.web.statuses import Standing, standing
from tests.integration.world import World
from upgrade_orchestrator.adapters.airflow.auth.permissions import grants_of
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Role

HTML = {"Accept": "text/html"}
S = ExecutionStatus


@pytest.fixture
async def rolling(api: httpx.AsyncClient, world: World) -> Standing:
    return await standing(api, world, "ROLLING")


async def read(api: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> Element:
    response = await api.get(f"/view/{path}", headers=HTML | (headers or {}))
    assert response.status_code == 200, response.text
    return read_html(response.text)


async def note(world: World, execution_id: str, code: str | None) -> None:
    """What the runner notes of a problem, or that it is over."""
    async with world.ports.work() as work:
        noted = Attention(code, await work.now(), "the agent does not answer (<TimeoutError>)", 7) if code else None
        await work.executions.note_attention(execution_id, noted)
        await work.commit()


async def test_attention_is_shown_on_page_and_list_while_it_is_set(
    api: httpx.AsyncClient, world: World, rolling: Standing
) -> None:
    await rolling.go(S.IN_PROGRESS)
    await note(world, rolling.id, "FLEET_UNREACHABLE")
    body = (await api.get(f"/upgrades/{rolling.id}")).json()
    since = body["attention"]["since"]
    assert body["progress"]["estimatedCompletionAt"] is None
    before = rolling.snapshot()
    for path in (f"upgrades/{rolling.id}", f"upgrades/{rolling.id}/fragment"):
        page = await read(api, path)
        shown = page.one("#attention")
        assert shown["data-code"] == "FLEET_UNREACHABLE"
        assert page.one(f"#{shown['aria-labelledby']}").text == "Needs attention: the fleet does not answer"
        assert "the agent does not answer (<TimeoutError>)" in shown.text
        assert "7 tries so far" in shown.text
        assert shown.one("time")["datetime"][:19] == since[:19]
        assert "bad" in page.one("#head").classes
        assert page.one("#head")["data-attention"] == "the fleet does not answer"
        assert "Needs attention" in page.one("#status-line").text
        assert "What to do: start the agent" in page.one("#remedy").text
        assert "stuck" in page.one("#head").classes, "what moves is stopped by this class"
        assert "unknown: it needs attention" in page.one("#gauge").text
        assert "left" not in page.one("#gauge").text.replace("Time left", "")
    row = (await read(api, "upgrades")).one(f"#row-{rolling.id}")
    assert row.classes == ["row", "bad"]
    assert row["data-attention"] == "FLEET_UNREACHABLE"
    assert "Needs attention The fleet does not answer, since" in row.text
    assert ": the agent does not answer" in row.text
    assert "(7 tries)" in row.text
    assert rolling.snapshot() == before


async def test_attention_is_not_shown_once_it_is_over(api: httpx.AsyncClient, world: World, rolling: Standing) -> None:
    await rolling.go(S.IN_PROGRESS)
    await note(world, rolling.id, "FLEET_BUSY")
    await note(world, rolling.id, None)
    page = await read(api, f"upgrades/{rolling.id}")
    assert (page.has("#attention"), page.one("#head")["data-attention"]) == (False, "")
    assert "attention" not in page.one("#status-line").text
    row = (await read(api, "upgrades")).one(f"#row-{rolling.id}")
    assert row.classes == ["row", "busy"]
    assert ("stuck" in page.one("#head").classes, page.has("#remedy")) == (False, False)
    assert "about" in page.one("#gauge").text
    assert row.one(".reason").text == (await api.get(f"/upgrades/{rolling.id}")).json()["statusReason"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", [S.FAILED, S.CANCELLED, S.COMPLETED, S.ROLLED_BACK])
async def test_only_an_administrator_sees_the_release_of_an_ended_execution_that_is_not_settled(
    api: httpx.AsyncClient, authentication: Authentication, rolling: Standing, role: Role, status: ExecutionStatus
) -> None:
    caller = authentication.admit_to("ada", grants_of(role))
    await rolling.go(status, settled=False)
    page = await read(api, f"upgrades/{rolling.id}", caller)
    assert page.has("#button-release") is page.has("#dialog-release") is (role is Role.ADMIN)
    await rolling.go(status)
    assert not (await read(api, f"upgrades/{rolling.id}", caller)).has("#button-release")


async def test_release_is_not_offered_while_an_execution_runs(api: httpx.AsyncClient, rolling: Standing) -> None:
    for status in (S.PENDING, S.IN_PROGRESS, S.PAUSED, S.ROLLING_BACK):
        await rolling.go(status)
        assert not (await read(api, f"upgrades/{rolling.id}")).has("#button-release")


async def test_call_of_the_release_button_settles_with_its_reason_and_the_timeline_says_so(
    api: httpx.AsyncClient, rolling: Standing
) -> None:
    await rolling.go(S.FAILED, settled=False)
    page = await read(api, f"upgrades/{rolling.id}")
    dialog = page.one("#dialog-release")
    assert (dialog["data-command"], dialog["data-reason"]) == ("release", "body")
    assert "danger" in page.one("#button-release").classes
    assert "required" in dialog.one("textarea").attributes
    assert page.one(f"#{dialog['aria-describedby']}").text.startswith("Nothing is finished, undrained or looked at")
    path = f"/upgrades/{rolling.id}/{dialog['data-command']}"
    assert (await api.post(path, json={"reason": "scrapped"})).status_code == 200
    after = await read(api, f"upgrades/{rolling.id}")
    assert not after.has("#button-release")
    line = after.all("#lines li")[0].text
    assert "Settled: 3 on 3.6.0, 1 on 3.7.0 by the record, the fleet was not counted by alice" in line
    assert "scrapped" in line
    refused = await api.post(path, json={"reason": "again"})
    assert (refused.status_code, refused.json()["code"]) == (409, "INVALID_STATE")


async def test_release_of_a_caller_who_does_not_see_its_button_is_refused(
    api: httpx.AsyncClient, authentication: Authentication, rolling: Standing
) -> None:
    await rolling.go(S.FAILED, settled=False)
    caller = authentication.admit_to("olga", grants_of(Role.OPERATOR))
    before = rolling.snapshot()
    assert (await api.post(f"/upgrades/{rolling.id}/release", json={}, headers=caller)).status_code == 403
    assert rolling.snapshot() == before


async def test_create_form_shows_and_explains_the_choice_for_instances_that_others_drained(
    api: httpx.AsyncClient, world: World
) -> None:
    page = await read(api, "upgrades/new")
    field = page.one("#undrainForeign-field")
    control = field.one("input")
    assert (control["name"], control["type"], "checked" in control.attributes) == ("undrainForeign", "checkbox", False)
    assert field.one("label").text == "Undrain instances that others have drained"
    assert "undrainForeign-hint" in control["aria-describedby"].split()
    hint = field.one("#undrainForeign-hint").text
    assert "Put instances into service that others had drained before the upgrade" in hint
    assert hint.endswith("Otherwise they are drained again, and a warning names them.")
