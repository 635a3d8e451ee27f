"""Decisions on stages of a STAGED upgrade, the same as in Airflow's UI (specification sections 1 and 4)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from upgrade_orchestrator.domain.errors import UpgradeBlocked
from upgrade_orchestrator.schemas.commands import DecisionBody
from upgrade_orchestrator.schemas.executions import ExecutionResponse
from upgrade_orchestrator.service.approvals.decide import decide_stage
from upgrade_orchestrator.service.views.queries import get_execution
from upgrade_orchestrator.web.dependencies import LinksDep, PortsDep
from upgrade_orchestrator.web.http.bodies import documented, optional_body_of
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses_by_status
from upgrade_orchestrator.web.routes.parameters import ExecutionId, StageNumber
from upgrade_orchestrator.web.security import Approver

router = APIRouter(prefix="/upgrades/{executionId}/stages/{n}", tags=["approvals"], route_class=ApiRoute)

DecisionDep = Annotated[DecisionBody, Depends(optional_body_of(DecisionBody))]
_BODY = documented(DecisionBody, required=False)


@router.post("/approve", responses=error_responses_by_status(UpgradeBlocked), openapi_extra=_BODY)
async def approve(
    execution_id: ExecutionId, stage: StageNumber, actor: Approver, body: DecisionDep, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """Start the stage, if it can run right now. The creator of the execution may not approve its stages."""
    await decide_stage(ports, execution_id, stage, True, body.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post("/reject", responses=error_responses_by_status(), openapi_extra=_BODY)
async def reject(
    execution_id: ExecutionId, stage: StageNumber, actor: Approver, body: DecisionDep, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """ROLLING_BACK if autoRollbackEnabled, otherwise CANCELLED."""
    await decide_stage(ports, execution_id, stage, False, body.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)
