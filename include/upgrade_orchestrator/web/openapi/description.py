"""OpenAPI 3.1 of the app: what FastAPI finds by itself, and the refusals, headers and examples that it cannot know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from upgrade_orchestrator.web.http import idempotency as keyed
from upgrade_orchestrator.web.openapi.examples import BODIES, example_of
from upgrade_orchestrator.web.openapi.refusals import PROBLEM, responses_of
from upgrade_orchestrator.web.security import PUBLIC

REFERENCE = "#/components/schemas/{model}"
_NOT_OURS = ("HTTPValidationError", "ValidationError")
_KEY: dict[str, Any] = {
    "name": keyed.HEADER,
    "in": "header",
    "required": False,
    "description": "The same key and request again get the first answer, for 24 h.",
    "schema": {"type": "string", "pattern": keyed.PATTERN},
    "example": "build-4711",
}
_IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer before: 304 when nothing has changed since.",
    "schema": {"type": "string"},
}
_IDS = {"tenantId": "550e8400", "componentId": "aaa-111", "versionId": "ccc-333", "n": 2}
_MINTED = "0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e"


def description(app: FastAPI, root: str) -> dict[str, Any]:
    """The document; the bodies are read by hand, so their schemas are added by hand."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, servers=[{"url": root or "/"}])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(body_schemas(app.state.bodies) | {"Problem": PROBLEM})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods:
                _complete(document["paths"][route.path_format][method.lower()], route)
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"bearer": []}]
    return document


def body_schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The JSON schemas of the bodies by name."""
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=REFERENCE)
    definitions: dict[str, Any] = found.get("$defs", {})
    return definitions


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    answers = {status: each for status, each in operation["responses"].items() if status[0] in "23"}
    for answer in answers.values():
        _show_example(answer)
    if "304" in answers:
        answers["200"]["headers"] = answers["304"]["headers"]
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    operation["responses"] = answers | responses_of(route)
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _never_null(parameter["schema"])
        if parameter["in"] == "path":
            parameter["example"] = _IDS.get(parameter["name"], _MINTED)
    if keyed.is_write(route):
        operation.setdefault("parameters", []).append(_KEY)
    if route.name in PUBLIC:
        operation["security"] = []
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = BODIES[_name(content["schema"])]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or left out, which FastAPI tells as null."""
    given = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return {name: each for name, each in schema.items() if name != "anyOf"} | given[0] if len(given) == 1 else schema


def _show_example(answer: dict[str, Any]) -> None:
    for content in answer.get("content", {}).values():
        if (example := example_of(_name(content["schema"]))) is not None:
            content["example"] = example


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]
