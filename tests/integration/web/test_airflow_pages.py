"""The pages in Airflow's real API server, behind the real FAB auth manager: cookie, roles, and where they are."""

import httpx

from tests.integration.web.running_airflow import RunningAirflow
from tests.integration.world import COMPONENT, NEW, OLD, TENANT

UPGRADES = f"/tenants/{TENANT}/upgrades"
REQUEST = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}


def _components(airflow: RunningAirflow) -> int:
    with airflow.client("victor") as client:
        return len(client.get("/components").json()["items"])


def test_pages_open_with_the_cookie_of_the_ui_and_only_with_it(airflow: RunningAirflow) -> None:
    page = {"Accept": "text/html"}
    with airflow.client() as client:
        refused = client.get("/view/upgrades", headers=page)
        client.cookies.set("_token", airflow.login("victor"))
        shown = client.get("/view/upgrades", headers=page)
        client.cookies.set("_token", airflow.login("nina"))
        forbidden = client.get("/view/upgrades", headers=page)
    assert (refused.status_code, shown.status_code, forbidden.status_code) == (401, 200, 403)
    assert "You are not signed in any more" in refused.text
    assert 'id="counts"' in shown.text


def test_role_of_a_tenant_sees_its_own_list(airflow: RunningAirflow) -> None:
    with airflow.client("olga") as client:
        created = client.post(UPGRADES, json=REQUEST)
        identifier = created.json().get("id") or created.json()["activeExecutionId"]
    with airflow.client("tina") as own, airflow.client("tom") as other:
        assert f'id="row-{identifier}"' in own.get("/view/upgrades").text
        assert 'id="row-' not in other.get("/view/upgrades").text
        assert own.get(f"/view/upgrades/{identifier}").status_code == 200
        assert other.get(f"/view/upgrades/{identifier}").status_code == 404


def test_write_by_cookie_is_taken_from_our_own_pages_only(airflow: RunningAirflow) -> None:
    with airflow.client() as client:
        client.cookies.set("_token", airflow.login("ursula"))
        evil = client.post("/components", json={"name": "x"}, headers={"Origin": "http://evil.test"})
        silent = client.post("/components", json={"name": "x"})
        assert (evil.status_code, silent.status_code, _components(airflow)) == (403, 403, 1)
        own = client.post("/components", json={}, headers={"Origin": airflow.url})
        assert own.status_code == 422  # through the door, up to the body
    assert _components(airflow) == 1


def test_airflow_shows_the_pages_in_its_navigation_and_on_dags_and_runs(airflow: RunningAirflow) -> None:
    headers = {"Authorization": f"Bearer {airflow.login('admin')}"}
    found = httpx.get(f"{airflow.url}/api/v2/plugins", headers=headers, trust_env=False, timeout=30).json()
    (plugin,) = [each for each in found["plugins"] if each["name"] == "upgrades"]
    views = {each["destination"]: each for each in plugin["external_views"]}
    assert set(views) == {"nav", "dag", "dag_run"}
    assert all(each["url_route"] and not each["href"].startswith(("/", "http")) for each in views.values())
    with airflow.client("victor") as client:
        for each in views.values():
            path = each["href"].replace("{DAG_ID}", "some_dag").removeprefix("api/v1/registry")
            assert client.get(path).status_code == 200
