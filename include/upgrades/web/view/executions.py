"""One execution: the page, and the part of it that is fetched again whenever something has happened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from include.upgrades.domain.execution import DAG_PREFIX
from include.upgrades.service.picture import draw_picture
from include.upgrades.service.ports import Ports
from include.upgrades.web.dependencies import Links, LinksDep, PortsDep
from include.upgrades.web.routes.parameters import ExecutionId
from include.upgrades.web.security import Caller, Reader, RegistryReader, Signed, permissions_in
from include.upgrades.web.view.execution_picture import shown
from include.upgrades.web.view.pages import page
from include.upgrades.web.view.refusals import PageRoute

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)


@router.get("/upgrades/{executionId}", dependencies=[Reader])
async def execution_page(
    request: Request, execution_id: ExecutionId, caller: Signed, ports: PortsDep, links: LinksDep
) -> HTMLResponse:
    """The whole page."""
    return page(request, "execution.html", **await _shown(ports, links, caller, execution_id))


@router.get("/upgrades/{executionId}/fragment", dependencies=[Reader])
async def execution_part(
    request: Request, execution_id: ExecutionId, caller: Signed, ports: PortsDep, links: LinksDep
) -> HTMLResponse:
    """What of it changes; its links are those of the page that it becomes a part of."""
    return page(request, "execution_part.html", home="../", **await _shown(ports, links, caller, execution_id))


async def _shown(ports: Ports, links: Links, caller: Caller | None, execution_id: str) -> dict[str, Any]:
    assert caller is not None
    picture = await draw_picture(ports, execution_id)
    permissions = await permissions_in(caller, picture.execution.tenant_id)
    return shown(picture, links, caller.name, permissions, ports.limits.four_eyes)


@router.get("/dags/{dagId}", dependencies=[RegistryReader])
async def page_of_dag(request: Request, dag_id: Annotated[str, Path(alias="dagId", max_length=250)]) -> Response:
    """The tab that Airflow shows on every DAG's page: leads to the execution where the DAG is one's."""
    if not dag_id.startswith(DAG_PREFIX):
        return page(request, "no_upgrade.html", dag_id=dag_id)
    return RedirectResponse(f"../upgrades/{dag_id.removeprefix(DAG_PREFIX)}", 307)
