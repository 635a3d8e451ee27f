"""One execution: read it, its plan, instances and events, and start it (specification section 1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.schemas.base import BIGGEST
from upgrade_orchestrator.schemas.executions import ExecutionResponse
from upgrade_orchestrator.schemas.pages import EventsQuery, Page, PageQuery, page_of
from upgrade_orchestrator.schemas.plans import EventResponse, HistoryEntryResponse, InstanceResponse, PlanResponse
from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.events.feed import LiveFeed
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.start import start_upgrade
from upgrade_orchestrator.service.views.instance_history import BEGINNING, list_history
from upgrade_orchestrator.service.views.queries import get_execution, get_plan, get_tail, list_events, list_instances
from upgrade_orchestrator.web.dependencies import LinksDep, LiveDep, PortsDep
from upgrade_orchestrator.web.http.cursors import decode_number, decode_position, encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses_by_status
from upgrade_orchestrator.web.http.etags import CONDITIONAL, UNCHANGED, tagged
from upgrade_orchestrator.web.http.event_stream import DESCRIBED, EventStream, wants_stream
from upgrade_orchestrator.web.routes.parameters import ExecutionId, InstanceId
from upgrade_orchestrator.web.security import Operator, Reader

LastEventId = Annotated[
    int | None,
    Field(ge=0, le=BIGGEST, description="For a stream: the id of the last event seen; takes precedence over `after`."),
    Header(alias="Last-Event-ID"),
]

router = APIRouter(prefix="/upgrades/{executionId}", tags=["executions"], route_class=ApiRoute)


@router.get("", dependencies=[Reader], response_model=ExecutionResponse, responses=UNCHANGED, openapi_extra=CONDITIONAL)
async def read(
    execution_id: ExecutionId, ports: PortsDep, links: LinksDep, request: Request, response: Response
) -> ExecutionResponse | Response:
    """The execution; 304 if its ``ETag`` is sent as ``If-None-Match``."""
    return tagged(request, response, ExecutionResponse.of(await get_execution(ports, execution_id), links))


@router.post("/start", status_code=202, responses=error_responses_by_status())
async def start(execution_id: ExecutionId, actor: Operator, ports: PortsDep, links: LinksDep) -> ExecutionResponse:
    """Change PENDING to VALIDATING; the checks then run in Airflow."""
    await start_upgrade(ports, execution_id, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.get("/plan", dependencies=[Reader])
async def plan(execution_id: ExecutionId, ports: PortsDep) -> PlanResponse:
    """The plan as it was frozen at creation."""
    execution, frozen = await get_plan(ports, execution_id)
    return PlanResponse.of(frozen, Findings(warnings=execution.warnings))


@router.get("/instances", dependencies=[Reader])
async def instances(
    execution_id: ExecutionId, query: Annotated[PageQuery, Query()], ports: PortsDep
) -> Page[InstanceResponse]:
    """The instances in the plan's order, which never changes; the cursor is a position in it."""
    begin = decode_number(query.cursor) if query.cursor else 0
    numbered = list(enumerate(await list_instances(ports, execution_id), start=1))
    rows = numbered[begin : begin + query.limit + 1]
    return page_of(rows, query.limit, lambda row: InstanceResponse.of(row[1]), lambda row: encode(str(row[0])))


@router.get("/instances/{instanceId:path}/history", dependencies=[Reader])
async def instance_history(
    execution_id: ExecutionId, instance_id: InstanceId, query: Annotated[PageQuery, Query()], ports: PortsDep
) -> Page[HistoryEntryResponse]:
    """What happened to one instance, the oldest first: its states, orders with answers, its health, decisions.

    Percent-encode the id: it may have any characters, a slash included.
    """
    after = decode_position(query.cursor) if query.cursor else BEGINNING
    found = await list_history(ports, execution_id, instance_id, after, query.limit + 1)
    return page_of(found, query.limit, HistoryEntryResponse.of, lambda entry: encode(*map(str, entry.position)))


@router.get("/events", dependencies=[Reader], response_model=Page[EventResponse], responses=DESCRIBED)
async def events(
    execution_id: ExecutionId,
    query: Annotated[EventsQuery, Query()],
    ports: PortsDep,
    live: LiveDep,
    request: Request,
    last_event_id: LastEventId = None,
) -> Page[EventResponse] | Response:
    """The event log in order, after sequence ``after`` or the cursor; with ``Accept: text/event-stream`` a live stream,
    after ``Last-Event-ID`` or ``after``."""
    if wants_stream(request):
        for name in sorted(request.query_params.keys() & {"limit", "cursor"}):
            raise ValidationFailed.of(name, "is for pages only: a stream continues after Last-Event-ID or after")
        return await _stream(ports, live, execution_id, query.after or 0, last_event_id)
    if query.after is not None and query.cursor is not None:
        raise ValidationFailed.of("cursor", "cannot be combined with after: give one of the two")
    after = decode_number(query.cursor) if query.cursor else query.after or 0
    found = await list_events(ports, execution_id, after, query.limit + 1)
    return page_of(found, query.limit, _shown, lambda stored: encode(str(stored.sequence)))


async def _stream(ports: Ports, live: LiveFeed, execution_id: str, after: int, last_event_id: int | None) -> Response:
    tail = await get_tail(ports, execution_id)
    if tail.is_settled and last_event_id is not None and last_event_id >= tail.sequence:
        return Response(status_code=204)
    live.require_room()
    begin = after if last_event_id is None else last_event_id
    return EventStream(live, execution_id, begin, ports.options.stream_seconds)


def _shown(stored: StoredEvent) -> EventResponse:
    return EventResponse.model_validate(cloud_event(stored))
