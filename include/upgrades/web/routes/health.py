"""GET /health: the one call that needs no token, and tells no secrets (contract section 1)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from include.upgrades.domain.errors import Unavailable
from include.upgrades.service.health import check_database, relay_health
from include.upgrades.web.dependencies import ports_of
from include.upgrades.web.schemas.base import Answer
from include.upgrades.web.schemas.relay import RelayAnswer

router = APIRouter(tags=["health"])


class HealthAnswer(Answer):
    """``status`` is ok; every part that was asked answers."""

    status: str
    parts: dict[str, str]
    relay: RelayAnswer


@router.get("/health", name="health")
async def health(request: Request) -> HealthAnswer:
    """200 when everything answers, else 503 naming what does not; with how far Kafka is behind."""
    try:
        ports = await ports_of(request)
        await check_database(ports)
        found = await relay_health(ports)
    except Unavailable as error:
        raise Unavailable("the database does not answer", parts={"database": "unavailable"}) from error
    parts, relay = {"database": "ok", "relay": found.state.value}, RelayAnswer.of(found)
    if not found.is_well:
        told = f"the relay of events is {found.state.value}: {found.detail}"
        raise Unavailable(told, parts=parts, relay=relay.model_dump(mode="json", by_alias=True))
    return HealthAnswer(status="ok", parts=parts, relay=relay)
