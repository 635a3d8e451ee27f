"""Every state of the pages in a real browser, without a server: accessible, narrow, and within the page's policy."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessible import problems
from tests.browser.browsing import Scheme, browser
from tests.browser.screenshots.lab import showing
from tests.browser.screenshots.scenes import SCENES

__all__ = ["browser"]
SCHEMES: list[Scheme] = ["light", "dark"]
NOISE = ("net::ERR_FAILED",)
"There is no server, so that the live stream is refused."


def complaints(page: Page) -> list[str]:
    """What the browser has said against the page since it was loaded; must be called before."""
    said: list[str] = []
    page.on("console", lambda each: said.append(each.text) if each.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("name", SCENES)
def test_scene_is_accessible_light_and_dark_and_fits_a_narrow_screen(browser: Browser, name: str) -> None:
    with showing(browser, SCENES[name], width=360) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
        page.set_viewport_size({"width": 1280, "height": 800})
        for each in page.locator("details").all()[:4]:
            each.evaluate("(details) => { details.open = true; }")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert problems(page) == [], scheme


@pytest.fixture
def running(browser: Browser) -> Iterator[Page]:
    with showing(browser, SCENES["execution-running"]) as page:
        yield page


def test_times_are_relative_with_the_exact_one_as_title(running: Page) -> None:
    started = running.locator("#times time").first
    expect(started).to_have_text("20 min ago")
    expect(started).to_have_attribute("title", "2031-05-17T11:40:00Z · May 17, 2031, 01:40:00 PM GMT+2")
    expect(running.locator("#times .elapsed")).to_have_text("for 20 min")


def test_exact_times_are_reached_with_the_keyboard_and_kept(running: Page) -> None:
    button = running.locator("#exact-times")
    button.focus()
    running.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(running.locator("#times time").first).to_have_text("May 17, 2031, 01:40:00 PM GMT+2")
    running.reload()
    expect(running.locator("#times .elapsed")).to_have_text("since May 17, 2031, 01:40:00 PM GMT+2")
    button.click()
    expect(running.locator("#times time").first).to_have_text("20 min ago")


def test_batches_of_one_stand_side_by_side(browser: Browser) -> None:
    with showing(browser, SCENES["execution-one-by-one"]) as page:
        tops = [box["y"] for each in page.locator(".batch").all() if (box := each.bounding_box())]
    assert (len(tops), len(set(tops))) == (12, 2)


def test_exact_times_and_an_opened_tile_fit_a_narrow_screen(browser: Browser) -> None:
    with showing(browser, SCENES["execution-one-by-one"], width=360) as page:
        page.locator("#exact-times").click()
        page.locator("#tile-kafka-05 summary").click()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_history_in_an_opened_tile_has_its_lines_and_stacks_on_a_narrow_screen(browser: Browser) -> None:
    with showing(browser, SCENES["execution-history"], width=360) as page:
        detail = page.locator("#tile-kafka-08 .history .detail", has_text="ERROR").first
        assert detail.evaluate("(each) => each.innerText.split('\\n').length") == 4
        box, card = detail.bounding_box(), page.locator("#instances").bounding_box()
        assert box is not None
        assert card is not None
        assert box["width"] > card["width"] / 2


def test_stuck_upgrade_has_no_estimate_no_motion_and_says_first_what_it_is(browser: Browser) -> None:
    with showing(browser, SCENES["execution-stuck"]) as page:
        expect(page.locator("#gauge")).to_contain_text("unknown: it needs attention")
        expect(page.locator(".why").first).to_have_text("The fleet does not answer: see below.")
        said = page.locator("#status-line .with-since").all_inner_texts()
        assert [each.split("\n") for each in said] == [["In progress", "for 19 min"], ["Needs attention", "for 4 min"]]
        moving = "(sign) => getComputedStyle(sign).animationName"
        assert {each.evaluate(moving) for each in page.locator(".tile.moving .sign").all()} == {"none"}


def test_reason_that_is_required_is_marked_and_one_that_is_optional_is_not(running: Page) -> None:
    running.locator("#button-cancel").click()
    reason = running.locator("dialog[open] textarea")
    expect(reason).to_have_attribute("aria-required", "true")
    expect(running.locator("dialog[open] label[for=reason-cancel]")).to_contain_text("(required)")
    running.keyboard.press("Escape")
    running.locator("#button-pause").click()
    assert running.locator("dialog[open] textarea").get_attribute("aria-required") is None
    expect(running.locator("dialog[open] label")).to_contain_text("(optional)")


def test_page_without_scripts_shows_times_in_utc_and_the_reasons(browser: Browser) -> None:
    with showing(browser, SCENES["execution-promotion"], scripts=False) as page:
        expect(page.locator("#times time").first).to_have_text("2031-05-17 11:40:00 UTC")
        page.locator("#others summary").click()
        expect(page.locator("#others")).to_contain_text("Pause only while it is In progress or Canary running")
        assert page.locator("#exact-times").count() == 0


@pytest.mark.parametrize("name", ["execution-rolled-back", "execution-failed", "list"])
def test_browser_has_nothing_to_say_against_a_scene(browser: Browser, name: str) -> None:
    with showing(browser, SCENES[name]) as page:
        said = complaints(page)
        page.reload()
        expect(page.locator("h1, .row").first).to_be_visible()
    assert [each for each in said if not any(noise in each for noise in NOISE)] == []
