"""The description of the API for machines and people, behind the same door as the API itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from include.upgrades.web.security import Reader

REFERENCE = "#/components/schemas/{model}"

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json", dependencies=[Reader])
async def openapi(request: Request) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return description(request.app, str(request.scope.get("root_path", "")))


@router.get("/docs", dependencies=[Reader])
async def docs(request: Request) -> HTMLResponse:
    """The same to click through."""
    return get_swagger_ui_html(openapi_url="openapi.json", title=request.app.title)


def description(app: FastAPI, root: str) -> dict[str, Any]:
    """The document; the bodies are read by hand, so their schemas are added by hand."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, servers=[{"url": root or "/"}])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(body_schemas(app.state.bodies))
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"bearer": []}]
    return document


def body_schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The JSON schemas of the bodies by name."""
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)
    definitions: dict[str, Any] = found.get("$defs", {})
    return definitions
