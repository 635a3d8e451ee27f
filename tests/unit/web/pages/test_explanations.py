"""The pages that refuse or explain: what happened, what to do, and where to go."""

import pytest

from tests.browser.markup import Element
from tests.unit.web.rendering import HOSTILE, rendered, request_of
from upgrade_orchestrator.domain.errors import (
    Forbidden,
    NotFound,
    Unauthenticated,
    Unavailable,
    UpgradeError,
    ValidationFailed,
)
from upgrade_orchestrator.web.http.rate_limits import TooManyRequests
from upgrade_orchestrator.web.view.error_pages import refusal


def page_of(error: UpgradeError) -> Element:
    return rendered(request_of("/x/api/v1/registry/view/upgrades"), "refusal.html", **refusal(error))


def links(page: Element) -> dict[str, str]:
    return {each.text: each["href"] for each in page.all("main a")}


def test_expired_session_offers_to_sign_in_around_the_frame() -> None:
    page = page_of(Unauthenticated("the token has expired"))
    assert links(page) == {"Sign in": "./../../../../"}
    assert page.one("main a")["data-airflow"] == "reload"


@pytest.mark.parametrize("error", [Unavailable("the database does not answer"), TooManyRequests("slower", 3)])
def test_passing_trouble_offers_to_try_again(error: UpgradeError) -> None:
    page = page_of(error)
    assert links(page) == {"Try again": "", "All upgrades": "./upgrades"}
    assert "Upgrades go on" in page.text


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NotFound("there is no execution x"), "belongs to a tenant that you may not see"),
        (Forbidden("nina lacks READ"), "one of the Upgrade roles: Upgrade Viewer to see"),
    ],
)
def test_lasting_trouble_says_who_can_help(error: UpgradeError, says: str) -> None:
    page = page_of(error)
    assert links(page) == {"All upgrades": "./upgrades"}
    assert says in page.text


def test_invalid_filter_is_named_with_what_would_be_accepted() -> None:
    page = page_of(
        ValidationFailed(
            [{"field": "status", "message": "should be one of ACTIVE, FAILED"}, {"field": HOSTILE, "message": HOSTILE}]
        )
    )
    first, second = page.all("main li")
    assert first.text == "status should be one of ACTIVE, FAILED"
    assert second.text == f"{HOSTILE} {HOSTILE}"


def test_tab_of_another_dag_leads_back_to_it() -> None:
    page = rendered(request_of("/view/dags/a b"), "no_upgrade.html", dag_id="a b", kind="other")
    assert links(page) == {"Back to the DAG": "../../../../../dags/a%20b", "All upgrades": "../upgrades"}
    assert page.one("main a.button").attributes.keys() >= {"data-airflow"}
    assert "a b is another DAG of this Airflow" in page.text
