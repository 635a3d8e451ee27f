"""The commands of an execution: pause, resume, cancel, promote, roll back, retry, revert (specification section 3)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    CanaryUnhealthy,
    FleetUnusable,
    NotFound,
    UpgradeBlocked,
    VersionMismatch,
)
from upgrade_orchestrator.schemas.commands import PromoteQuery, ReasonQuery, ReleaseBody, RevertBody, RevertQuery
from upgrade_orchestrator.schemas.executions import ExecutionResponse
from upgrade_orchestrator.service.finalize.release import release_upgrade
from upgrade_orchestrator.service.upgrade import commands as command
from upgrade_orchestrator.service.upgrade.retry import retry_upgrade
from upgrade_orchestrator.service.upgrade.revert import RevertOrder, revert_upgrade
from upgrade_orchestrator.service.views.queries import get_execution
from upgrade_orchestrator.web.dependencies import LinksDep, PortsDep
from upgrade_orchestrator.web.http.bodies import documented, optional_body_of
from upgrade_orchestrator.web.http.error_responses import ApiRoute, error_responses_by_status
from upgrade_orchestrator.web.routes.parameters import ExecutionId
from upgrade_orchestrator.web.security import AdministratorActor, Operator

router = APIRouter(prefix="/upgrades/{executionId}", tags=["commands"], route_class=ApiRoute)

ReasonDep = Annotated[ReasonQuery, Query()]


@router.post("/pause", responses=error_responses_by_status())
async def pause(
    execution_id: ExecutionId, query: ReasonDep, actor: Operator, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """PAUSED: no new work starts and time limits stop; instances in flight finish, see ``progress.inFlight``."""
    await command.pause_upgrade(ports, execution_id, query.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post("/resume", responses=error_responses_by_status(UpgradeBlocked))
async def resume(
    execution_id: ExecutionId, query: ReasonDep, actor: Operator, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """Continue at the same point, if registry and fleet still allow it; delays are extended by the pause."""
    await command.resume_upgrade(ports, execution_id, query.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post("/cancel", responses=error_responses_by_status())
async def cancel(
    execution_id: ExecutionId, query: ReasonDep, actor: Operator, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """CANCELLED; ``statusReason`` has the number of instances on each version."""
    await command.cancel_upgrade(ports, execution_id, query.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post("/promote-canary", responses=error_responses_by_status(CanaryUnhealthy, UpgradeBlocked))
async def promote_canary(
    execution_id: ExecutionId,
    query: Annotated[PromoteQuery, Query()],
    actor: Operator,
    ports: PortsDep,
    links: LinksDep,
) -> ExecutionResponse:
    """IN_PROGRESS with the rest, if every canary is healthy now (else 409 CANARY_UNHEALTHY) and the rest can run."""
    await command.promote_canary(ports, execution_id, query.force == "true", query.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post("/rollback", status_code=202, responses=error_responses_by_status())
async def rollback(
    execution_id: ExecutionId, query: ReasonDep, actor: Operator, ports: PortsDep, links: LinksDep
) -> ExecutionResponse:
    """ROLLING_BACK; if there is nothing to revert, ROLLED_BACK at once."""
    await command.roll_back_upgrade(ports, execution_id, query.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)


@router.post(
    "/retry",
    status_code=201,
    responses=error_responses_by_status(NotFound, ActiveUpgradeExists, VersionMismatch, UpgradeBlocked, FleetUnusable),
)
async def retry(
    execution_id: ExecutionId, query: ReasonDep, actor: Operator, ports: PortsDep, links: LinksDep, response: Response
) -> ExecutionResponse:
    """Create a new execution, PENDING, for the instances that a FAILED or CANCELLED one did not complete."""
    execution = await retry_upgrade(ports, execution_id, query.reason, actor)
    response.headers["Location"] = links.execution(execution.id)
    return ExecutionResponse.of(await get_execution(ports, execution.id), links)


@router.post(
    "/revert",
    status_code=201,
    responses=error_responses_by_status(NotFound, ActiveUpgradeExists, VersionMismatch, UpgradeBlocked, FleetUnusable),
    openapi_extra=documented(RevertBody, required=False),
)
async def revert(
    execution_id: ExecutionId,
    actor: Operator,
    body: Annotated[RevertBody, Depends(optional_body_of(RevertBody))],
    query: Annotated[RevertQuery, Query()],
    ports: PortsDep,
    links: LinksDep,
    response: Response,
) -> ExecutionResponse:
    """Create a new execution that brings every instance back to the version that it ran before the ended one."""
    order = RevertOrder(body.reason, body.installed_components, query.start == "true")
    execution = await revert_upgrade(ports, execution_id, order, actor)
    response.headers["Location"] = links.execution(execution.id)
    return ExecutionResponse.of(await get_execution(ports, execution.id), links)


@router.post("/release", responses=error_responses_by_status(), openapi_extra=documented(ReleaseBody, required=False))
async def release_execution(
    execution_id: ExecutionId,
    actor: AdministratorActor,
    body: Annotated[ReleaseBody, Depends(optional_body_of(ReleaseBody))],
    ports: PortsDep,
    links: LinksDep,
) -> ExecutionResponse:
    """Free the place of an ended execution at once, although its fleet is away: what is recorded counts."""
    await release_upgrade(ports, execution_id, body.reason, actor)
    return ExecutionResponse.of(await get_execution(ports, execution_id), links)
