"""Events that Kafka rejects: list them, and release one (docs/kafka.md)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.schemas.base import ID_PATTERN, SOME_ID
from upgrade_orchestrator.schemas.pages import Page, PageQuery, page_of
from upgrade_orchestrator.schemas.relay import ParkedResponse
from upgrade_orchestrator.service.ports.outbox import ParkedEvent
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.cursors import decode_moment, encode
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses
from upgrade_orchestrator.web.security import Administrator, require

router = APIRouter(prefix="/events", tags=["events"], route_class=ApiRoute)

EventId = Annotated[str, Path(alias="eventId", pattern=ID_PATTERN, examples=[SOME_ID])]


@router.get("/parked", dependencies=[Administrator])
async def parked(query: Annotated[PageQuery, Query()], ports: PortsDep) -> Page[ParkedResponse]:
    """The events that Kafka rejects, of all tenants, the longest parked first."""
    after = decode_moment(query.cursor) if query.cursor else None
    found = await ports.outbox.parked(after, query.limit + 1)
    return page_of(found, query.limit, ParkedResponse.of, _position)


@router.post("/{eventId}/release", responses=error_responses(NotFound))
async def release(
    event_id: EventId, actor: Annotated[Actor, Depends(require(Permission.ADMINISTER))], ports: PortsDep
) -> ParkedResponse:
    """Publish the event again; if it is still rejected, it is parked again. Returns the event as it was parked."""
    return ParkedResponse.of(await ports.outbox.release(event_id, actor))


def _position(event: ParkedEvent) -> str:
    return encode(event.parked_at.isoformat(), event.id)
