"""Renders the status view's pages with the real templates, from details in which every text is hostile."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request

from tests.browser.markup import Element, read_html
from tests.unit.domain.builders import NOW, fleet_of, make_execution, make_instance, make_request
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution, RollbackInfo, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.plan.plan import make_plan
from upgrade_orchestrator.domain.plan.progress import Tally, progress_of
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.stores.overviews import Overview
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.service.views.queries import ExecutionView
from upgrade_orchestrator.web.view.pages import page

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
        attention=Attention(HOSTILE, NOW, HOSTILE, 3),
        failure_phase=HOSTILE,
        request=make_request(component_id=HOSTILE, initiated_by=HOSTILE, strategy=Strategy.CANARY),
        rollback=RollbackInfo(HOSTILE, NOW, HOSTILE),
        canary=Canary(healthy=False, polls=3, last_poll_at=NOW, promoted_by=HOSTILE, promoted_at=NOW),
    )


def events() -> list[StoredEvent]:
    data = dict.fromkeys(
        ("from", "to", "reason", "actor", "source", "command", "stage", "decision", "decidedBy"), HOSTILE
    ) | {"versions": {HOSTILE: 2}}
    return [StoredEvent(f"v-{n}", "e-1", "t", n, NOW, what, data) for n, what in enumerate(EVENTS, start=1)]


EVENTS = (
    *(EventType.CREATED, EventType.STATUS_CHANGED, EventType.COMMAND_RECEIVED, EventType.APPROVAL_REQUESTED),
    *(EventType.APPROVAL_DECIDED, EventType.ROLLBACK_STARTED, EventType.ROLLBACK_COMPLETED),
    EventType.SETTLED,
)


def detail_of(execution: Execution) -> ExecutionDetail:
    instances = [
        replace(
            make_instance(f"{HOSTILE}{status}", status),
            error=HOSTILE,
            from_version=HOSTILE,
            to_version=HOSTILE,
            reported=f"{HOSTILE}-",
        )
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
