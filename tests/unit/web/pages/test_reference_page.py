"""The API reference: what a call accepts and answers, in the style and under the rules of the other pages."""

from typing import Any

import pytest

from tests.browser.markup import Element, read_html
from tests.browser.screenshots.lists import document
from tests.unit.web.rendering import request_of
from upgrade_orchestrator.web.openapi.reference_page import reference_page
from upgrade_orchestrator.web.view.pages import FOLDER, HEADERS


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


@pytest.fixture(scope="module")
def page(described: dict[str, Any]) -> Element:
    return read_html(bytes(reference_page(request_of("/api/v1/registry/docs"), described).body).decode())


def call(page: Element, begins: str) -> Element:
    return next(each for each in page.all("details.call") if each.one("summary").text.startswith(begins))


def fields(found: Element) -> dict[str, list[str]]:
    return {each.one("th").text: [cell.text for cell in each.all("td")] for each in found.all("tbody tr")}


def test_reference_has_the_headers_and_style_sheets_of_the_other_pages(
    described: dict[str, Any], page: Element
) -> None:
    made = reference_page(request_of("/api/v1/registry/docs"), described)
    assert {name: made.headers[name] for name in HEADERS} == HEADERS
    loaded = [each["href"] for each in page.all("link[rel=stylesheet]")]
    assert loaded == ["view/static/colours.css", "view/static/view.css", "view/static/reference.css"]
    assert all((FOLDER / each.removeprefix("view/")).is_file() for each in loaded)
    assert page.one(".brand")["href"] == "view/upgrades"
    assert "openapi.json" in [each["href"] for each in page.all("main a")]


def test_every_call_is_under_its_topic_and_every_topic_is_linked(described: dict[str, Any], page: Element) -> None:
    calls = [operation for item in described["paths"].values() for operation in item.values()]
    assert len(page.all("details.call")) == len(calls)
    topics = {each["id"] for each in page.all("section.topic")}
    assert topics == {f"topic-{each['tags'][0]}" for each in calls}
    assert {each["href"] for each in page.all(".topics a")} == {f"#{each}" for each in topics}


def test_call_says_what_each_field_accepts(page: Element) -> None:
    found = fields(call(page, "POST /tenants/{tenantId}/upgrades"))
    assert found["tenantId"] == ["path", "text, like 550e8400, required", ""]
    assert found["dryRun"][:2] == ["query", 'true · false, default "false"']
    assert found["batchSize"][:2] == ["body", "whole number, at least 1, at most 1000, default 5"]
    assert found["componentId"][1].endswith("required")
    assert found["strategy"][1].startswith("ROLLING · CANARY")
    assert found["toVersionId"][2] == "The version to upgrade to."


def test_call_names_the_codes_with_which_it_refuses_and_shows_what_it_answers(page: Element) -> None:
    found = call(page, "POST /upgrades/{executionId}/pause")
    refused = {each.one("b").text: [code.text for code in each.all("code")] for each in found.all(".refused li")}
    assert set(refused["409"]) == {"IDEMPOTENCY_CONFLICT", "INVALID_STATE", "CONCURRENT_CHANGE"}
    assert '"status"' in found.one("pre").text


def test_call_without_a_body_shows_none(page: Element) -> None:
    assert "Body, for example" not in call(page, "GET /health").text
    assert "Body, for example" in call(page, "POST /components").text
