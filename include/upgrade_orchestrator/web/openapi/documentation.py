"""The description of the API for machines and people, with the same authentication as the API."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from upgrade_orchestrator.web.openapi.description import description
from upgrade_orchestrator.web.openapi.reference_page import reference_page
from upgrade_orchestrator.web.security import RegistryReader

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json", dependencies=[RegistryReader])
async def openapi(request: Request) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return _described(request)


@router.get("/docs", dependencies=[RegistryReader])
async def docs(request: Request) -> HTMLResponse:
    """The description as a page; it loads nothing from other servers, so it works without access to the internet."""
    return reference_page(request, _described(request))


def _described(request: Request) -> dict[str, Any]:
    return _document(request.app, str(request.scope.get("root_path", "")))


@lru_cache(maxsize=2)
def _document(app: FastAPI, root: str) -> dict[str, Any]:
    """Cached, since it takes a fifth of a second and depends only on the app and its address."""
    return description(app, root)
