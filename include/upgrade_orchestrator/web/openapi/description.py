"""OpenAPI 3.1 of the app: FastAPI's document, plus the bodies that we parse ourselves and examples of all bodies."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from upgrade_orchestrator.schemas.errors import Problem

REFERENCE = "#/components/schemas/{model}"
_NOT_OURS = ("HTTPValidationError", "ValidationError")
_PLAIN = {"boolean": False, "integer": 0, "number": 0}
Json = dict[str, Any]


def description(app: FastAPI, root: str) -> Json:
    """The document of the app mounted at ``root``."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, servers=[{"url": root or "/"}])
    read: tuple[type[BaseModel], ...] = (*app.state.bodies, Problem)
    _, found = models_json_schema([(model, "validation") for model in read], ref_template=REFERENCE)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= found["$defs"]
    for name in _NOT_OURS:
        schemas.pop(name, None)
    for operation in (each for item in document["paths"].values() for each in item.values()):
        _complete(operation, schemas)
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"bearer": []}]
    return document


def _complete(operation: Json, schemas: Json) -> None:
    """Correct FastAPI's description: an invalid id in a path is a 404, and an optional parameter is not nullable."""
    found = operation["responses"]
    operation["responses"] = {
        status: found[status] for status in sorted(found) if _NOT_OURS[0] not in str(found[status])
    }
    for parameter in operation.get("parameters", ()):
        given, *null = parameter["schema"].pop("anyOf", [{}])
        parameter["schema"] |= given if null in ([], [{"type": "null"}]) else {"anyOf": [given, *null]}
    for described in (operation.get("requestBody", {}), *operation["responses"].values()):
        for content in described.get("content", {}).values():
            if "example" not in content and "examples" not in content:
                content["example"] = example_of(content["schema"], schemas)


def example_of(schema: Json, schemas: Json) -> Any:
    """An example of the schema, built from the examples and defaults of its parts.

    :raises LookupError: a text has no example.
    """
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    if "default" in schema:
        return schema["default"]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    match schema:
        case {"anyOf": [{"type": "string"} as text, {"type": "null"}]} if "examples" not in text:
            return None
        case {"anyOf": [first, *_]}:
            return example_of(first, schemas)
        case {"type": "object"}:
            return {name: example_of(each, schemas) for name, each in schema.get("properties", {}).items()}
        case {"type": "array"}:
            return [example_of(schema["items"], schemas)] if "$ref" in schema["items"] else []
        case {"type": "boolean" | "integer" | "number" as kind}:
            return _PLAIN[kind]
    raise LookupError(f"no example of {schema}")
