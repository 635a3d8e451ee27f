"""The description of the API for machines and people, behind the same door as the API itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from include.upgrades.web.description import description
from include.upgrades.web.reference_page import HEADERS, reference_page
from include.upgrades.web.security import RegistryReader

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json", dependencies=[RegistryReader])
async def openapi(request: Request) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return _described(request)


@router.get("/docs", dependencies=[RegistryReader])
async def docs(request: Request) -> HTMLResponse:
    """The same to read; it needs no other server, so it works where there is no way out."""
    return HTMLResponse(reference_page(_described(request)), headers=HEADERS)


def _described(request: Request) -> dict[str, Any]:
    return _made_once(request.app, str(request.scope.get("root_path", "")))


@lru_cache(maxsize=2)
def _made_once(app: FastAPI, root: str) -> dict[str, Any]:
    """It changes with the app only, and to make it takes as long as some twenty other calls."""
    return description(app, root)
