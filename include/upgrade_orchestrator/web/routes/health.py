"""GET /health: the one call that needs no token, and tells no secrets (contract section 1)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from pydantic import Field

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.schemas.base import Answer
from upgrade_orchestrator.schemas.relay import RelayAnswer
from upgrade_orchestrator.service.views.fleet_health import DriverHealth, FleetHealth
from upgrade_orchestrator.service.views.health import RelayHealth, check_database, relay_health
from upgrade_orchestrator.web.dependencies import ports_of
from upgrade_orchestrator.web.http.refusals import ApiRoute

router = APIRouter(tags=["health"], route_class=ApiRoute)


class DriverAnswer(Answer):
    """A fleet driver by the Airflow connection that it is reached through; ``status`` is ok or unavailable."""

    driver: str = Field(examples=["agent"])
    conn_id: str = Field(examples=["demo_fleet"])
    status: str = Field(examples=["ok"])

    @classmethod
    def of(cls, health: DriverHealth) -> DriverAnswer:
        """As it is shown; not why, since that may tell an address."""
        return cls(driver=health.driver, conn_id=health.conn_id, status=_word(health.answers))


class HealthAnswer(Answer):
    """``status`` is ok; every part that was asked answers."""

    status: str = Field(examples=["ok"])
    parts: dict[str, str] = Field(examples=[{"database": "ok", "relay": "running", "fleets": "ok"}])
    relay: RelayAnswer
    fleets: list[DriverAnswer]


@router.get("/health", name="health", openapi_extra={"security": []})
async def health(request: Request) -> HealthAnswer:
    """200 when database, relay and fleet drivers answer, else 503 naming what does not; with the lag of the events."""
    fleet_health: FleetHealth = request.app.state.fleet_health
    try:
        ports = await ports_of(request)
        await check_database(ports)
        relay, drivers = await relay_health(ports), await fleet_health.look(ports)
    except Unavailable as error:
        raise Unavailable("the database does not answer", parts={"database": "unavailable"}) from error
    answer = _answer(relay, drivers)
    if troubles := _troubles(relay, drivers):
        raise Unavailable("; ".join(troubles), **answer.model_dump(mode="json", by_alias=True, exclude={"status"}))
    return answer


def _answer(relay: RelayHealth, drivers: Sequence[DriverHealth]) -> HealthAnswer:
    fleets = _word(all(each.answers for each in drivers))
    return HealthAnswer(
        status="ok",
        parts={"database": "ok", "relay": relay.state.value, "fleets": fleets},
        relay=RelayAnswer.of(relay),
        fleets=[DriverAnswer.of(each) for each in drivers],
    )


def _troubles(relay: RelayHealth, drivers: Sequence[DriverHealth]) -> list[str]:
    silent = [each for each in drivers if not each.answers]
    told = [f"the fleet driver {each.driver} does not answer at the connection {each.conn_id}" for each in silent]
    return told if relay.is_well else [f"the relay of events is {relay.state.value}: {relay.detail}", *told]


def _word(well: bool) -> str:
    return "ok" if well else "unavailable"
