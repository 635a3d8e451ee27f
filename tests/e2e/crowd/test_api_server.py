"""Airflow's API server with FAB and our plugin: which credentials are accepted, and what our roles allow."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from local.demo.rest import BASE
from local.ports import HOST
from local.stack.stack import Stack
from tests.browser.markup import read_html
from tests.e2e.steps import COMPONENT, NEW, OLD, got
from tests.e2e.users import tokens

ClientOf = Callable[[str], httpx.Client]
INSTALLED = {"kafka": "3.6.0", "postgresql": "16.1"}
REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "installedComponents": INSTALLED}
HTML = {"Accept": "text/html"}
NEVER_MADE = "never-made"


@pytest.fixture
def stranger(stack: Stack) -> Iterator[httpx.Client]:
    """A caller without a token."""
    with httpx.Client(base_url=f"http://{HOST}:{stack.port}{BASE}", trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def cookie(stack: Stack, client_of: ClientOf) -> Callable[[str], dict[str, str]]:
    """The header by which a browser shows who is logged in."""
    return lambda name: {"Cookie": f"_token={tokens()[name]}"}


@pytest.fixture
def nothing_made(api: httpx.Client) -> Iterator[None]:
    """Afterwards there is no component of that name, whatever other tests create."""
    yield
    assert NEVER_MADE not in [each["name"] for each in got(api, "/components", limit=200)["items"]]


@pytest.mark.parametrize(
    ("name", "may_read", "may_operate", "may_administer"),
    [
        ("vera", True, False, False),
        ("otto", True, True, False),
        ("anna", True, False, False),
        ("ursula", True, True, True),
        ("user", False, False, False),
    ],
)
def test_role_permits_exactly_its_calls(
    client_of: ClientOf, name: str, may_read: bool, may_operate: bool, may_administer: bool
) -> None:
    client = client_of(name)
    assert client.get("/tenants/any/upgrades").status_code == (200 if may_read else 403)
    assert client.post("/upgrades/none/start").status_code == (404 if may_operate else 403)
    assert client.post("/components", json={}).status_code == (422 if may_administer else 403)


def test_airflow_administrator_is_permitted_every_call(api: httpx.Client) -> None:
    assert api.get("/tenants/any/upgrades").status_code == 200
    assert api.post("/upgrades/none/start").status_code == 404
    assert api.post("/components", json={}).status_code == 422


def test_role_of_a_tenant_permits_calls_for_that_tenant_only(client_of: ClientOf, limited_tenant: str) -> None:
    own, other, upgrades = client_of("tina"), client_of("tom"), f"/tenants/{limited_tenant}/upgrades"
    assert (own.get(upgrades).status_code, other.get(upgrades).status_code) == (200, 404)
    assert (own.get("/components").status_code, other.get("/components").status_code) == (200, 200)
    assert own.post("/components", json={"name": NEVER_MADE}).status_code == 403
    assert other.post(upgrades, json=REQUEST).status_code == 404
    assert own.get(f"/components/{COMPONENT}/upgrade-statistics").status_code == 403


def test_role_of_a_tenant_lists_only_its_own_executions(client_of: ClientOf, limited_tenant: str) -> None:
    own, other = client_of("tina"), client_of("tom")
    created = own.post(f"/tenants/{limited_tenant}/upgrades", json=REQUEST)
    assert created.status_code == 201, created.text
    identifier = created.json()["id"]
    assert read_html(own.get("/view/upgrades").text).has(f"#row-{identifier}")
    assert not read_html(other.get("/view/upgrades").text).has("li.row")
    assert own.get(f"/view/upgrades/{identifier}").status_code == 200
    assert other.get(f"/view/upgrades/{identifier}").status_code == 404
    assert own.post(f"/upgrades/{identifier}/cancel").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic YWRtaW46YWRtaW4=", "Bearer a.b.c"])
def test_call_without_a_valid_token_is_401(stranger: httpx.Client, header: str) -> None:
    response = stranger.get("/components", headers={"Authorization": header})
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    assert "X-Request-ID" in response.headers


def test_pages_require_the_cookie_of_the_ui(stranger: httpx.Client, cookie: Callable[[str], dict[str, str]]) -> None:
    refused = stranger.get("/view/upgrades", headers=HTML)
    shown = stranger.get("/view/upgrades", headers=HTML | cookie("vera"))
    forbidden = stranger.get("/view/upgrades", headers=HTML | cookie("user"))
    assert (refused.status_code, shown.status_code, forbidden.status_code) == (401, 200, 403)
    assert "You are not signed in any more" in refused.text
    assert read_html(shown.text).has("#counts")


@pytest.mark.usefixtures("nothing_made")
def test_write_by_cookie_is_accepted_from_our_own_pages_only(
    stranger: httpx.Client, stack: Stack, cookie: Callable[[str], dict[str, str]]
) -> None:
    signed_in = cookie("ursula")
    evil = stranger.post("/components", json={"name": NEVER_MADE}, headers=signed_in | {"Origin": "http://evil.test"})
    silent = stranger.post("/components", json={"name": NEVER_MADE}, headers=signed_in)
    assert (evil.status_code, silent.status_code) == (403, 403)
    own = stranger.post("/components", json={}, headers=signed_in | {"Origin": f"http://{HOST}:{stack.port}"})
    assert own.status_code == 422  # authenticated and authorised, up to the body


@pytest.mark.usefixtures("nothing_made")
def test_form_of_another_site_is_refused_although_it_carries_the_cookie(
    stranger: httpx.Client, cookie: Callable[[str], dict[str, str]]
) -> None:
    assert stranger.post("/components", data={"name": NEVER_MADE}, headers=cookie("ursula")).status_code == 415


@pytest.mark.usefixtures("nothing_made")
def test_bearer_token_takes_precedence_over_the_cookie(
    client_of: ClientOf, cookie: Callable[[str], dict[str, str]]
) -> None:
    assert client_of("vera").post("/components", json={"name": NEVER_MADE}, headers=cookie("ursula")).status_code == 403


@pytest.mark.usefixtures("nothing_made")
def test_body_of_two_mebibytes_in_chunks_is_413(api: httpx.Client) -> None:
    content: Any = iter([b" " * 65536] * 32)
    response = api.post("/components", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_openapi_description_is_served_to_readers_only(client_of: ClientOf) -> None:
    assert client_of("vera").get("/openapi.json").json()["servers"] == [{"url": "/api/v1/registry"}]
    assert "openapi.json" in client_of("vera").get("/docs").text


def test_status_view_is_linked_in_airflows_navigation_and_on_dags_and_runs(
    airflow: httpx.Client, client_of: ClientOf
) -> None:
    (plugin,) = (each for each in got(airflow, "/plugins", limit=100)["plugins"] if each["name"] == "upgrades")
    views = {each["destination"]: each for each in plugin["external_views"]}
    assert set(views) == {"nav", "dag", "dag_run"}
    assert all(each["url_route"] and not each["href"].startswith(("/", "http")) for each in views.values())
    for each in views.values():
        path = (
            each["href"].replace("{DAG_ID}", "some_dag").replace("{RUN_ID}", "some_run").removeprefix("api/v1/registry")
        )
        assert client_of("vera").get(path).status_code == 200
