"""Loads a scene into Chromium: page, scripts and style sheets as the server sends them, but without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, sync_playwright
from starlette.responses import Response

from local.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.browsing import Scheme
from tests.browser.screenshots.scenes import HISTORY, Scene
from tests.unit.domain.builders import NOW
from tests.unit.web.rendering import request_of
from upgrade_orchestrator.web.view.pages import FOLDER, PREFIX, page

ORIGIN = "http://upgrades.test"
ROOT = f"/api/v1/registry{PREFIX}/"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser.

    :raises SystemExit: there is none here.
    """
    path = find_chromium()
    if path is None:
        raise SystemExit(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        yield started
        started.close()


@contextmanager
def showing(
    browser: Browser, scene: Scene, scheme: Scheme = "light", width: int = 1280, scripts: bool = True
) -> Iterator[Page]:
    """The scene's page, loaded; its clock stands at the time of the scenes."""
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
        timezone_id="Europe/Rome",
        locale="en-US",
        java_script_enabled=scripts,
    )
    shown, made = context.new_page(), page(request_of(ROOT + scene.path), scene.template, **scene.values())
    shown.clock.set_fixed_time(NOW)
    shown.route("**/*", lambda route: _answer(route, scene, made))
    shown.goto(f"{ORIGIN}{ROOT}{scene.path}")
    if scene.opens and scripts:
        shown.locator(f"#tile-{scene.opens} summary").click()
        shown.locator(f"#tile-{scene.opens} .history table").wait_for()
    yield shown
    context.close()


def take(browser: Browser, scene: Scene, scheme: Scheme, width: int, target: Path) -> None:
    """A picture of the whole page."""
    with showing(browser, scene, scheme, width) as shown:
        shown.screenshot(path=target, full_page=True, animations="disabled", scale="css")


def _answer(route: Route, scene: Scene, made: Response) -> None:
    path = urlsplit(route.request.url).path
    if path.startswith(f"{ROOT}static/"):
        route.fulfill(path=FOLDER / "static" / path.rpartition("/")[2])
    elif path.removeprefix(ROOT) == scene.path.partition("?")[0]:
        route.fulfill(body=bytes(made.body), headers=dict(made.headers))
    elif path.endswith("/history"):
        of_instance = page(request_of(ROOT + HISTORY.path), HISTORY.template, **HISTORY.values())
        route.fulfill(body=bytes(of_instance.body), headers=dict(of_instance.headers))
    else:
        route.abort()
