"""Hostile text on the pages, and the words that they use, rendered with the real templates."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request

from tests.browser.markup import Element, read_html
from tests.unit.domain.builders import NOW, fleet_of, make_execution, make_instance, make_request
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, RollbackInfo, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.plan.plan import make_plan
from upgrade_orchestrator.domain.plan.progress import Tally, progress_of
from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.stores.overviews import Overview
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.service.views.queries import ExecutionView
from upgrade_orchestrator.web.view.execution.template_context import template_context
from upgrade_orchestrator.web.view.pages import page
from upgrade_orchestrator.web.view.words import CHECK, INSTANCE, STATUS, span

HOSTILE = (
    """<script>alert(1)</script>"><img src=x onerror=alert(2)>' onmouseover='alert(3) javascript:alert(4) {{ 7 * 7 }}"""
)


def request_of(path: str = "/api/v1/registry/view/upgrades/e-1") -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""})


def rendered(request: Request, template: str, **values: Any) -> Element:
    return read_html(bytes(page(request, template, **values).body).decode())


def hostile_execution(status: ExecutionStatus) -> Execution:
    return make_execution(
        status,
        tenant_id=HOSTILE,
        from_version=HOSTILE,
        to_version=HOSTILE,
        created_by=HOSTILE,
        status_reason=HOSTILE,
        warnings=(HOSTILE,),
        failure_phase=HOSTILE,
        request=make_request(component_id=HOSTILE, initiated_by=HOSTILE, strategy=Strategy.CANARY),
        rollback=RollbackInfo(HOSTILE, NOW, HOSTILE),
        canary=Canary(healthy=False, polls=3, last_poll_at=NOW, promoted_by=HOSTILE, promoted_at=NOW),
    )


def events() -> list[StoredEvent]:
    data = dict.fromkeys(
        ("from", "to", "reason", "actor", "source", "command", "stage", "decision", "decidedBy"), HOSTILE
    )
    return [StoredEvent(f"v-{n}", "e-1", "t", n, NOW, what, data) for n, what in enumerate(EVENTS, start=1)]


EVENTS = (
    *(EventType.CREATED, EventType.STATUS_CHANGED, EventType.COMMAND_RECEIVED, EventType.APPROVAL_REQUESTED),
    *(EventType.APPROVAL_DECIDED, EventType.ROLLBACK_STARTED, EventType.ROLLBACK_COMPLETED),
)


def detail_of(execution: Execution) -> ExecutionDetail:
    instances = [
        replace(make_instance(f"{HOSTILE}{status}", status), error=HOSTILE, from_version=HOSTILE, to_version=HOSTILE)
        for status in InstanceStatus
    ]
    tally = Tally.of([(each.status, None, 1) for each in instances], 1, 1)
    check = CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.FAILED, HOSTILE)
    overview = Overview(execution, NOW, 3, [HOSTILE], 60, tally, [HOSTILE], [check])
    view = ExecutionView(overview, progress_of(execution, tally, 60, NOW))
    polled = {
        "healthy": False,
        "unhealthy": {HOSTILE: HOSTILE},
        "notAsked": [HOSTILE],
        "polls": 1,
        "currentFailures": 1,
    }
    poll = StoredEvent("v-9", "e-1", "t", 9, NOW, EventType.CANARY_POLLED, polled)
    run = RunView("7", "running", tasks={HOSTILE: HOSTILE, "validate.x": "success"}, name=HOSTILE)
    plan = make_plan(execution.request, fleet_of(20))
    return ExecutionDetail(view, plan, instances, [], [], events(), [poll], run)


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
    found = rendered(request_of("/x/view/dags/y"), "no_upgrade.html", dag_id=HOSTILE)
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
    found = addresses(rendered(request_of(path), "no_upgrade.html", dag_id="x"))
    assert f"{home}static/view.css" in found
    assert not [each for each in found if each.startswith(("/", "http"))]


def test_undefined_name_in_a_template_is_an_error() -> None:
    with pytest.raises(Exception, match="dag_id"):
        page(request_of(), "no_upgrade.html")


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
