"""What an execution's page shows of a fleet as it is: spelled, unknown and gone instances, many names, the end."""

from dataclasses import replace

import pytest

from tests.browser.markup import Element
from tests.unit.domain.builders import NOW, fleet_of, make_execution, make_instance, make_request
from tests.unit.web.rendering import detail_of, rendered, request_of
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.plan.plan import make_plan
from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.views.detail import TIMELINE
from upgrade_orchestrator.web.view.execution.template_context import template_context
from upgrade_orchestrator.web.view.execution.timeline import line_of
from upgrade_orchestrator.web.view.pages import FOLDER
from upgrade_orchestrator.web.view.words import ATTENTION, attention_words


def test_every_code_of_attention_has_words() -> None:
    assert set(ATTENTION) == {FleetError.code, *(each.code for each in FleetError.__subclasses__())}


def test_code_without_words_is_shown_as_it_is() -> None:
    assert attention_words("FLEET_ON_FIRE") == "FLEET_ON_FIRE"


def shown(execution: Execution, *instances: Instance) -> Element:
    detail = replace(detail_of(execution), instances=instances)
    return rendered(request_of(), "execution.html", **template_context(detail, Links("/r", ""), "x", (), True))


def test_tile_shows_a_reported_version_that_is_neither_the_old_nor_the_new_one() -> None:
    texts = ["3.6.0", "3.7.0", "v3.7.0", None]
    instances = [make_instance(f"i-{n}", InstanceStatus.COMPLETED, reported=each) for n, each in enumerate(texts)]
    page = shown(make_execution(ExecutionStatus.IN_PROGRESS), *instances)
    assert ["Reported" in page.one(f"#tile-i-{n}").text for n in range(4)] == [False, False, True, False]
    assert "Reported v3.7.0" in said(page.one("#tile-i-2"))


def said(tile: Element) -> list[str]:
    return [f"{each.one('dt').text} {each.one('dd').text}" for each in tile.all("dl div")]


def test_tile_says_that_the_version_before_is_unknown() -> None:
    statuses = (InstanceStatus.PENDING, InstanceStatus.UPGRADING)
    instances = [make_instance(each.value, each, from_version=None) for each in statuses]
    page = shown(make_execution(ExecutionStatus.IN_PROGRESS), *instances)
    assert "Version unknown" in said(page.one("#tile-PENDING"))
    assert "Version unknown → 3.7.0" in said(page.one("#tile-UPGRADING"))


def test_gone_instance_is_marked_in_words_and_by_a_sign() -> None:
    gone = make_instance("i-1", InstanceStatus.COMPLETED, gone=True, error="gone: not in the fleet's list for 300 s")
    page = shown(make_execution(ExecutionStatus.IN_PROGRESS), gone, make_instance("i-2", InstanceStatus.COMPLETED))
    there, other = (page.one(f"#tile-{each}") for each in ("i-1", "i-2"))
    assert (there.one(".at").text, there.one(".sign use")["href"]) == ("Completed, gone", "#icon-gone")
    assert (other.one(".at").text, other.one(".sign use")["href"]) == ("Completed", "#icon-check")
    assert "Gone gone: not in the fleet's list for 300 s" in page.one("#wrong-i-1").text


def test_canaries_and_instances_of_a_stage_are_named_within_a_bound() -> None:
    execution = make_execution(
        ExecutionStatus.IN_PROGRESS, request=make_request(strategy=Strategy.CANARY, stage_percentages=None)
    )
    detail = detail_of(execution)
    overview = replace(detail.view.overview, canary=[f"i-{n}" for n in range(9000)])
    detail = replace(detail, view=replace(detail.view, overview=overview))
    page = rendered(request_of(), "execution.html", **template_context(detail, Links("/r", ""), "x", (), True))
    assert page.one("#canary-h small").text.endswith("i-8, i-9, and 8,990 more")
    staged = make_execution(ExecutionStatus.IN_PROGRESS, request=make_request(strategy=Strategy.STAGED, batch_size=50))
    asked = Approval(execution_id="e-1", stage=2, plan_hash="0" * 64, requested_at=NOW)
    detail = detail_of(staged)
    plan = make_plan(staged.request, fleet_of(200))
    detail = replace(detail, plan=plan, view=replace(detail.view, awaits=asked))
    given = template_context(detail, Links("/r", ""), "x", frozenset(Permission), True)
    stage = rendered(request_of(), "execution.html", **given).one("#dialog-approve .stage")
    assert (stage.one("summary").text, stage.one("p").text[-13:]) == ("Stage 2: 50 instances", ", and 40 more")


@pytest.mark.parametrize(
    ("versions", "seen", "text"),
    [
        ({"3.7.0": 18, "unknown": 2}, True, "Settled: 18 on 3.7.0, 2 unknown"),
        ({"3.6.0": 4}, False, "Settled: 4 on 3.6.0 by the record, the fleet was not counted"),
        ({}, True, "Settled: no instance"),
        ({f"1.{n}": 1 for n in range(12)}, True, f"Settled: {', '.join(f'1 on 1.{n}' for n in range(10))}, and 2 more"),
    ],
    ids=["two", "by record", "none", "many"],
)
def test_settled_is_a_line_of_the_timeline_with_the_final_count(
    versions: dict[str, int], seen: bool, text: str
) -> None:
    data = {"versions": versions, "fleetSeen": seen, "settledBy": "ada", "reason": "over"}
    line = line_of(StoredEvent("v-1", "e-1", "t", 1, NOW, EventType.SETTLED, data))
    assert (line.text, line.actor, line.reason) == (text, "ada", "over")
    assert EventType.SETTLED in TIMELINE


def test_pages_listen_to_every_type_of_event() -> None:
    script = (FOLDER / "static" / "live.js").read_text(encoding="utf-8")
    assert not [each for each in EventType if f'"{each.value}"' not in script]
