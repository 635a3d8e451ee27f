"""The description of the API for machines and people, behind the same door as the API itself."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from upgrade_orchestrator.web.openapi.description import description
from upgrade_orchestrator.web.openapi.reference_page import HEADERS, reference_page
from upgrade_orchestrator.web.security import RegistryReader

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
    return _document(request.app, str(request.scope.get("root_path", "")))


@lru_cache(maxsize=2)
def _document(app: FastAPI, root: str) -> dict[str, Any]:
    """Made once: that takes a fifth of a second, and nothing but the app and its address changes it."""
    return description(app, root)
