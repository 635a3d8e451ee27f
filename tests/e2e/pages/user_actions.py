"""What a user does on a page: with the mouse, or with the keyboard alone."""

from typing import Protocol

from playwright.sync_api import Page, expect

from tests.e2e.steps import DEADLINE_SECONDS
from upgrade_orchestrator.web.app import URL_PREFIX

VIEW = f"{URL_PREFIX}/view"
_MAX_TABS = 150


class InputDevice(Protocol):
    """A mouse or a keyboard, which finds elements by a CSS selector."""

    def write(self, selector: str, text: str) -> None:
        """Replace the content of a field."""

    def choose(self, selector: str, option: str) -> None:
        """Choose an option of a list."""

    def push(self, selector: str) -> None:
        """Use a button or a link."""


class Mouse:
    """Points and clicks."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def write(self, selector: str, text: str) -> None:
        self._page.locator(selector).fill(text)

    def choose(self, selector: str, option: str) -> None:
        self._page.locator(selector).select_option(option)

    def push(self, selector: str) -> None:
        self._page.locator(selector).click()


class Keyboard:
    """Uses the Tab key to reach an element, as a person without a mouse does."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def write(self, selector: str, text: str) -> None:
        self._reach(selector)
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)

    def choose(self, selector: str, option: str) -> None:
        self._reach(selector)
        self._page.keyboard.type(option)

    def push(self, selector: str) -> None:
        self._reach(selector)
        self._page.keyboard.press("Enter")

    def _reach(self, selector: str) -> None:
        expect(self._page.locator(selector)).to_be_visible()
        for _ in range(_MAX_TABS):
            if self._page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with the Tab key")


def open_upgrade(page: Page, execution_id: str) -> None:
    """The page of an execution, once its live stream is open."""
    page.goto(f"{VIEW}/upgrades/{execution_id}")
    expect(page.locator("#head")).to_be_visible()


def expect_status(page: Page, status: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until the page shows it by itself."""
    expect(page.locator("#head")).to_have_attribute("data-status", status, timeout=seconds * 1000)


def give(device: InputDevice, command: str, reason: str = "") -> None:
    """Press the command's button and confirm its question."""
    device.push(f"#button-{command}")
    if reason:
        device.write("dialog[open] textarea", reason)
    device.push("dialog[open] [data-confirm]")
