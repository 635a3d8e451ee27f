"""Hostile text on the pages, and the words that they use, rendered with the real templates."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.browser.markup import Element
from tests.unit.domain.builders import make_execution, make_instance
from tests.unit.web.rendering import HOSTILE, detail_of, hostile_execution, rendered, request_of
from upgrade_orchestrator.domain.checks.checks import CheckStatus
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.web.view.execution.template_context import template_context
from upgrade_orchestrator.web.view.pages import page
from upgrade_orchestrator.web.view.words import CHECK, INSTANCE, STATUS, span


def scripts(page: Element) -> list[str]:
    return [each["src"] for each in page.all("script")]


def addresses(page: Element) -> list[str]:
    """Wherever it leads, and whatever it loads or sends."""
    return [each[name] for name in ("href", "src", "action") for each in page.all(f"[{name}]")]


@pytest.mark.parametrize("status", ExecutionStatus)
def test_hostile_text_is_shown_as_text_in_every_status(status: ExecutionStatus) -> None:
    detail = detail_of(hostile_execution(status))
    values = template_context(detail, Links("/r", ""), HOSTILE, frozenset(Permission), True)
    found = rendered(request_of(), "execution.html", **values)
    assert scripts(found) == ["../static/theme.js", "../static/frames.js", "../static/view.js"]
    names = {name for each in found.elements() for name in each.attributes}
    assert not [each for each in names if each.startswith("on") or each == "style"]
    assert {each for each in addresses(found) if urlsplit(each).scheme or each.startswith("/")} == set()
    assert "49" not in found.text.split()
    assert HOSTILE in found.one("#why").text


def test_hostile_name_of_a_dag_is_shown_as_text() -> None:
    found = rendered(request_of("/x/view/dags/y"), "no_upgrade.html", dag_id=HOSTILE, kind="other")
    assert scripts(found) == ["../static/theme.js", "../static/frames.js"]


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/api/v1/registry/view/upgrades", "./"),
        ("/api/v1/registry/view/upgrades/e-1", "../"),
        ("/airflow/api/v1/registry/view/upgrades/e-1", "../"),
        ("/view/upgrades/view", "../"),
    ],
)
def test_addresses_of_pages_are_relative_under_any_base_path(path: str, home: str) -> None:
    found = addresses(rendered(request_of(path), "no_upgrade.html", dag_id="x", kind="other"))
    assert f"{home}static/view.css" in found
    assert not [each for each in found if each.startswith(("/", "http"))]


def test_undefined_name_in_a_template_is_an_error() -> None:
    with pytest.raises(Exception, match="dag_id"):
        page(request_of(), "no_upgrade.html", kind="other")


@pytest.mark.parametrize("looks", [STATUS, INSTANCE, CHECK], ids=["execution", "instance", "check"])
def test_every_status_has_a_text_and_a_symbol_beside_its_colour(looks: dict[str, object]) -> None:
    members = {id(STATUS): ExecutionStatus, id(INSTANCE): InstanceStatus, id(CHECK): CheckStatus}[id(looks)]
    assert set(looks) == {each.value for each in members}
    signs = [each.sign for each in looks.values()]  # type: ignore[attr-defined]
    assert len(set(signs)) == len(signs)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (90061, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_duration_is_shown_in_its_two_largest_units(seconds: int, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said == span(float(seconds))


def test_batch_of_a_large_upgrade_is_folded_only_without_activity_and_problems() -> None:
    execution = make_execution(ExecutionStatus.IN_PROGRESS)
    detail = detail_of(execution)
    calm = [make_instance(f"c-{n}", InstanceStatus.COMPLETED, batch=n // 5 + 2) for n in range(500)]
    values = template_context(replace(detail, instances=[*detail.instances, *calm]), Links("/r", ""), "x", (), True)
    assert [each.number for each in values["batches"] if not each.folded] == [1]
    few = template_context(replace(detail, instances=calm[:100]), Links("/r", ""), "x", (), True)
    assert not [each for each in few["batches"] if each.folded]
