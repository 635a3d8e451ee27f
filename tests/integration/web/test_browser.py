"""The browser of the tests itself: a person logs in through Airflow's own page."""

from include.upgrades.web.app import URL_PREFIX
from tests.browsing import Visits

COMPONENTS = f"{URL_PREFIX}/components"


def test_person_who_logged_in_reads_with_the_cookie(visits: Visits) -> None:
    page = visits.of("victor")
    answer = page.goto(COMPONENTS)
    assert answer is not None
    assert answer.status == 200
    assert "aaa-111" in page.content()


def test_stranger_is_turned_away(visits: Visits) -> None:
    answer = visits.stranger().goto(COMPONENTS)
    assert answer is not None
    assert answer.status == 401
