"""What the rows of the list say: outcome, times, who, and what needs a person."""

import pytest

from tests.browser.markup import Element
from tests.browser.screenshots.lists import board
from tests.unit.web.rendering import rendered, request_of
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.web.view.board import BoardQuery


def shown(*names: str, **more: object) -> Element:
    return rendered(request_of("/api/v1/registry/view/upgrades"), "board.html", **board(*names, **more))


def row(name: str, place: int = 0) -> Element:
    """The row of that story; a later place makes its times longer ago."""
    return shown(*["running"] * place, name).one(f"#row-e-{place}-{name}")


@pytest.mark.parametrize(
    ("story", "tone", "words"),
    [
        ("rolled-back", "bad", "Rolled back"),
        ("failed", "bad", "Failed"),
        ("rolling-back", "back", "Rolling back"),
        ("completed", "good", "Completed"),
        ("cancelled", "idle", "Cancelled"),
        ("stuck", "bad", "Needs attention"),
        ("approval", "warn", "awaits approval"),
        ("unhealthy-canary", "bad", "Canary unhealthy"),
    ],
)
def test_row_has_the_colour_of_its_outcome_and_says_it_in_words(story: str, tone: str, words: str) -> None:
    found = row(story)
    assert found.classes == ["row", tone]
    assert words in found.one(".state").text


def test_row_of_an_ended_upgrade_says_when_it_ended_and_how_long_it_took() -> None:
    found = row("completed", place=9)
    assert found.one(".when").text.split("2031")[0].strip() == "Ended"
    assert "took" in found.one(".when .meta").text


@pytest.mark.parametrize(("story", "says"), [("running", "Started"), ("pending", "Created")])
def test_row_of_an_unfinished_upgrade_says_since_when(story: str, says: str) -> None:
    when = row(story).one(".when")
    assert when.text.strip().startswith(says)
    assert not when.has(".meta")
    assert when.one("time")["datetime"].endswith("Z")


def test_row_of_a_paused_upgrade_says_since_when_it_is_paused() -> None:
    assert "paused" in row("paused").one(".when .meta").text


def test_row_says_who_began_it_and_which_batch_runs() -> None:
    found = row("running")
    assert "Rolling · by night shift" in found.one(".who").text
    assert "batch 2 of" in found.one(".numbers").text
    assert "batch" not in row("completed").one(".numbers").text


def test_row_of_a_stuck_upgrade_says_what_keeps_it() -> None:
    found = row("stuck").one(".reason")
    assert "tries" in found.text
    assert found["title"]


def test_strategies_are_offered_in_words_and_sent_as_the_api_names_them() -> None:
    options = {each["value"]: each.text for each in shown().all("select[name=strategy] option")}
    assert options == {"": "any"} | {each.value: each.value.replace("_", "-").capitalize() for each in Strategy}


@pytest.mark.parametrize("status", ["ACTIVE", "AWAITING_APPROVAL", "NEEDS_ATTENTION"])
def test_group_is_a_filter_above_the_list_and_in_the_form(status: str) -> None:
    page = shown("stuck", "approval")
    assert page.one(f"#count-{status} a")["href"] == f"upgrades?status={status}"
    assert page.has(f"select[name=status] option[value={status}]")


def test_empty_list_offers_the_next_step_to_who_may_take_it() -> None:
    assert shown().one("#rows a.button")["href"] == "upgrades/new"
    assert not shown(creates=False).has("#rows a")


def test_list_without_a_match_offers_all_upgrades_and_the_statistics() -> None:
    page = shown(asked=BoardQuery(tenant="acme", text="kafak"))
    assert page.one("#rows a")["href"] == "upgrades"
    assert page.one(".related a")["href"] == "tenants/acme/statistics"
    assert not shown(asked=BoardQuery(text="kafak")).has(".related")
