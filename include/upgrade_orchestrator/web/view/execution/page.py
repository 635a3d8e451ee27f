"""One execution: the page, and the part of it that is fetched again after each change."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.detail import load_detail
from upgrade_orchestrator.service.views.instance_history import BEGINNING, list_history
from upgrade_orchestrator.web.dependencies import LinksDep, PortsDep
from upgrade_orchestrator.web.routes.parameters import ExecutionId, SomeInstanceId
from upgrade_orchestrator.web.security import Caller, CallerDep, Reader, permissions_in
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.execution.template_context import template_context
from upgrade_orchestrator.web.view.pages import page

MOST_READ, MOST_SHOWN = 1000, 100
"Entries of an instance's history: how many are read and counted, and how many of them are shown."

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)


@router.get("/upgrades/{executionId}", dependencies=[Reader])
async def execution_page(
    request: Request, execution_id: ExecutionId, caller: CallerDep, ports: PortsDep, links: LinksDep
) -> HTMLResponse:
    """The whole page."""
    return page(request, "execution.html", **await _context(ports, links, caller, execution_id))


@router.get("/upgrades/{executionId}/fragment", dependencies=[Reader])
async def execution_part(
    request: Request, execution_id: ExecutionId, caller: CallerDep, ports: PortsDep, links: LinksDep
) -> HTMLResponse:
    """The part that changes; its links are relative to the page that shows it."""
    return page(request, "execution_part.html", home="../", **await _context(ports, links, caller, execution_id))


@router.get("/upgrades/{executionId}/history", dependencies=[Reader])
async def history_page(
    request: Request, execution_id: ExecutionId, instance: Annotated[SomeInstanceId, Query()], ports: PortsDep
) -> HTMLResponse:
    """The history of one instance; its id is a parameter, since a relative link needs a path of known depth."""
    found = await list_history(ports, execution_id, instance, BEGINNING, MOST_READ)
    values: dict[str, Any] = {"entries": found[: -MOST_SHOWN - 1 : -1], "earlier": max(0, len(found) - MOST_SHOWN)}
    return page(request, "instance_history_page.html", execution_id=execution_id, instance_id=instance, **values)


async def _context(ports: Ports, links: Links, caller: Caller | None, execution_id: str) -> dict[str, Any]:
    assert caller is not None
    detail = await load_detail(ports, execution_id)
    permissions = await permissions_in(caller, detail.execution.tenant_id)
    return template_context(detail, links, caller.name, permissions, ports.options.four_eyes)
