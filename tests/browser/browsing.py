"""A real Chromium in the tests, driven by Playwright: one a module, a fresh context (cookies, storage) for each visit.

Playwright's synchronous interface keeps an event loop of its own going in the main thread for as long as it is
started, and pytest-asyncio cannot start another there: so the browser ends with the module, and a module that uses it
has no asynchronous test.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.chromium import ARGUMENTS, MISSING, find_chromium

REQUIRED = "UPGRADES_REQUIRE_BROWSER"
SECONDS = 90
"How long a page may take to show what a test waits for: the machine is busy."
Scheme = Literal["light", "dark"]


def require_chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where a browser is required."""
    found = find_chromium()
    if found:
        return found
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = require_chromium()
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        yield started
        started.close()


@dataclass
class Visits:
    """The pages that a test has open; `url` is the server's root."""

    browser: Browser
    url: str
    token_of: Callable[[str], str]
    console: list[str] = field(default_factory=list)
    """The console messages and failed requests of the pages, in order."""
    _contexts: list[BrowserContext] = field(default_factory=list)

    def of(self, name: str, scheme: Scheme = "light", width: int = 1280) -> Page:
        """A page in a fresh context in which `name` is logged in, by the cookie that Airflow's own page sets."""
        page = self._page(scheme, width)
        page.context.add_cookies([{"name": "_token", "value": self.token_of(name), "url": self.url}])
        return page

    def stranger(self) -> Page:
        """A page of a user who is not logged in."""
        return self._page("light", 1280)

    def save(self, folder: Path) -> None:
        """Save a screenshot of every open page, and their console messages."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "console.log").write_text("\n".join(self.console))
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages, 1):
            page.screenshot(path=folder / f"page-{number}.png", full_page=True)

    def close(self) -> None:
        """All open pages."""
        for context in self._contexts:
            context.close()

    def _page(self, scheme: Scheme, width: int) -> Page:
        context = self.browser.new_context(
            base_url=self.url,
            color_scheme=scheme,
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",  # without a graphics card a pulsing tile takes half a core
        )
        context.set_default_timeout(SECONDS * 1000)
        self._contexts.append(context)
        context.on("console", lambda said: self.console.append(f"{said.type}: {said.text}"))
        context.on("weberror", lambda error: self.console.append(f"uncaught: {error.error}"))
        context.on("requestfailed", lambda made: self.console.append(f"failed: {made.url} {made.failure}"))
        return context.new_page()


@contextmanager
def visiting(visits: Visits) -> Iterator[Visits]:
    """Close what was opened."""
    try:
        yield visits
    finally:
        visits.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test with open pages fails, save screenshots of them to its folder, which the report names."""
    report = yield
    used = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and "visits" in used:
        folder = used["tmp_path"] / "browser"
        used["visits"].save(folder)
        report.sections.append(("browser", f"pictures and console.log: {folder}"))
    return report
