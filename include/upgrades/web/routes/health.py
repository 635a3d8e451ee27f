"""GET /health: the one call that needs no token, and tells no secrets (contract section 1)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from include.upgrades.domain.errors import Unavailable
from include.upgrades.service.health import check_database
from include.upgrades.web.dependencies import ports_of
from include.upgrades.web.schemas.base import Answer

router = APIRouter(tags=["health"])


class HealthAnswer(Answer):
    """``status`` is ok; every part that was asked answers."""

    status: str
    parts: dict[str, str]


@router.get("/health", name="health")
async def health(request: Request) -> HealthAnswer:
    """200 when everything answers, else 503 naming what does not."""
    try:
        await check_database(await ports_of(request))
    except Unavailable as error:
        raise Unavailable("the database does not answer", parts={"database": "unavailable"}) from error
    return HealthAnswer(status="ok", parts={"database": "ok"})
