"""The tab "Upgrade", which Airflow shows on every DAG and on every DAG run: on those of an upgrade it is its page."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from upgrade_orchestrator.bootstrap import requested_execution
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.execution import DAG_PREFIX, REQUEST_DAG
from upgrade_orchestrator.schemas.base import ID_PATTERN
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.security import RegistryReader
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import home_of, page

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)
DagId = Annotated[str, Path(alias="dagId", max_length=250)]
RunId = Annotated[str, Path(alias="runId", max_length=250)]


@router.get("/dags/{dagId}", dependencies=[RegistryReader])
async def page_of_dag(request: Request, dag_id: DagId) -> Response:
    """Redirects to the execution if the DAG belongs to one; any other DAG costs no question to a database."""
    execution_id = _of_upgrade(dag_id)
    return _no_upgrade(request, dag_id) if execution_id is None else _to(request, execution_id)


@router.get("/dags/{dagId}/runs/{runId}", dependencies=[RegistryReader])
async def page_of_run(request: Request, dag_id: DagId, run_id: RunId, ports: PortsDep) -> Response:
    """As for the DAG. Of a run of ``upgrade_request`` it is the execution that this run has created."""
    execution_id = _of_upgrade(dag_id)
    if dag_id == REQUEST_DAG:
        execution_id = await _created_by(ports, run_id)
    return _no_upgrade(request, dag_id, of_run=True) if execution_id is None else _to(request, execution_id)


def _of_upgrade(dag_id: str) -> str | None:
    execution_id = dag_id.removeprefix(DAG_PREFIX)
    return execution_id if dag_id.startswith(DAG_PREFIX) and re.fullmatch(ID_PATTERN, execution_id) else None


async def _created_by(ports: Ports, run_id: str) -> str | None:
    execution_id = await requested_execution(run_id)
    if execution_id is None:
        return None
    try:
        return (await find_execution(ports, execution_id)).id
    except NotFound:
        return None


def _no_upgrade(request: Request, dag_id: str, of_run: bool = False) -> Response:
    kind = "other" if dag_id != REQUEST_DAG else "run" if of_run else "request"
    return page(request, "no_upgrade.html", dag_id=dag_id, kind=kind)


def _to(request: Request, execution_id: str) -> Response:
    return RedirectResponse(f"{home_of(request)}upgrades/{execution_id}", 307)
