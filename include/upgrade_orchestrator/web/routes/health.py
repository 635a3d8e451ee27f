"""GET /health: the only call without a token; it returns no secrets (specification section 1)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from pydantic import Field

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.schemas.base import ResponseBody
from upgrade_orchestrator.schemas.relay import RelayResponse
from upgrade_orchestrator.service.views.fleet_health import DriverHealth, FleetHealth
from upgrade_orchestrator.service.views.health import RelayHealth, check_database, relay_health
from upgrade_orchestrator.web.dependencies import ports_of
from upgrade_orchestrator.web.http.error_responses import ApiRoute

router = APIRouter(tags=["health"], route_class=ApiRoute)


class DriverResponse(ResponseBody):
    """A fleet driver and its Airflow connection; ``status`` is ok or unavailable."""

    driver: str = Field(examples=["agent"])
    conn_id: str = Field(examples=["demo_fleet"])
    status: str = Field(examples=["ok"])

    @classmethod
    def of(cls, health: DriverHealth) -> DriverResponse:
        """Without the reason, which could contain an address."""
        return cls(driver=health.driver, conn_id=health.conn_id, status=_status(health.answers))


class HealthResponse(ResponseBody):
    """``status`` is ok: every part responds."""

    status: str = Field(examples=["ok"])
    parts: dict[str, str] = Field(examples=[{"database": "ok", "relay": "running", "fleets": "ok"}])
    relay: RelayResponse
    fleets: list[DriverResponse]


@router.get("/health", name="health", openapi_extra={"security": []})
async def health(request: Request) -> HealthResponse:
    """200 if database, relay and fleet drivers respond, else 503 with those that do not; with the lag of events."""
    fleet_health: FleetHealth = request.app.state.fleet_health
    try:
        ports = await ports_of(request)
        await check_database(ports)
        relay, drivers = await relay_health(ports), await fleet_health.look(ports)
    except Unavailable as error:
        raise Unavailable("the database does not answer", parts={"database": "unavailable"}) from error
    found = _health(relay, drivers)
    if troubles := _troubles(relay, drivers):
        raise Unavailable("; ".join(troubles), **found.model_dump(mode="json", by_alias=True, exclude={"status"}))
    return found


def _health(relay: RelayHealth, drivers: Sequence[DriverHealth]) -> HealthResponse:
    fleets = _status(all(each.answers for each in drivers))
    return HealthResponse(
        status="ok",
        parts={"database": "ok", "relay": relay.state.value, "fleets": fleets},
        relay=RelayResponse.of(relay),
        fleets=[DriverResponse.of(each) for each in drivers],
    )


def _troubles(relay: RelayHealth, drivers: Sequence[DriverHealth]) -> list[str]:
    silent = [each for each in drivers if not each.answers]
    messages = [f"the fleet driver {each.driver} does not answer at the connection {each.conn_id}" for each in silent]
    return messages if relay.is_healthy else [f"the relay of events is {relay.state.value}: {relay.detail}", *messages]


def _status(well: bool) -> str:
    return "ok" if well else "unavailable"
