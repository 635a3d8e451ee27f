"""The description of the API as one of the pages: calls by topic, their parameters, fields, responses and refusals."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from upgrade_orchestrator.web.view.pages import page

Json = dict[str, Any]

_LIMITS = {"minimum": "at least", "maximum": "at most", "minLength": "at least", "maxLength": "at most"}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object", "null": "null"}


class Field(NamedTuple):
    """A parameter of a call or a field of its body: where it is, what it accepts and what it means."""

    name: str
    place: str
    accepts: str
    meaning: Markup


class Answer(NamedTuple):
    """A response with its example, or the codes with which a call is refused."""

    status: str
    description: str
    codes: list[str]
    example: str | None


class Call(NamedTuple):
    """A call of the API."""

    id: str
    method: str
    path: str
    text: Markup
    fields: list[Field]
    body: str | None
    answers: list[Answer]


def reference_page(request: Request, document: Json) -> HTMLResponse:
    """The page for an OpenAPI document, served next to it."""
    return page(request, "reference.html", home="view/", **template_values(document))


def template_values(document: Json) -> dict[str, Any]:
    """What the page shows."""
    base = document["servers"][0]["url"]
    return {"title": document["info"]["title"], "base": base, "topics": _topics(document)}


def _topics(document: Json) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = defaultdict(list)
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            found[operation["tags"][0]].append(_call(method, path, operation, schemas))
    return found


def _call(method: str, path: str, operation: Json, schemas: Json) -> Call:
    (body,) = operation.get("requestBody", {}).get("content", {}).values() or [None]
    fields = [
        Field(each["name"], each["in"], _accepts(each["schema"], schemas, each.get("required")), _prose(each))
        for each in operation.get("parameters", ())
    ]
    return Call(
        operation["operationId"],
        method.upper(),
        path,
        _prose(operation),
        [*fields, *(_fields(body["schema"], schemas) if body else ())],
        json.dumps(body["example"], indent=2) if body else None,
        [_answer(status, each) for status, each in operation["responses"].items()],
    )


def _fields(schema: Json, schemas: Json) -> Iterator[Field]:
    known = _resolved(schema, schemas)
    for name, each in known.get("properties", {}).items():
        yield Field(name, "body", _accepts(each, schemas, name in known.get("required", ())), _prose(each))


def _answer(status: str, response: Json) -> Answer:
    examples: list[Any] = []
    codes: list[str] = []
    for content in response.get("content", {}).values():
        codes += content.get("examples", {})
        examples += [content["example"]] if "example" in content else []
    if status[0] == "2":
        codes = []
    return Answer(status, response["description"], codes, json.dumps(examples[0], indent=2) if examples else None)


def _accepts(schema: Json, schemas: Json, required: bool | None = False) -> str:
    """What a value may be, in words: ``whole number, at least 1, at most 100, default 10``."""
    given = _resolved(schema, schemas)
    limits = [f"{words} {given[name]}" for name, words in _LIMITS.items() if name in given]
    parts = [_kind(given, schemas), *limits]
    parts += [f"like {given['examples'][0]}"] if "pattern" in given and "examples" in given else []
    default = schema.get("default", given.get("default"))
    parts += ["required"] if required else [f"default {json.dumps(default)}"] if default is not None else []
    return ", ".join(filter(None, parts))


def _kind(schema: Json, schemas: Json) -> str:
    if "enum" in schema:
        return " · ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(_resolved(each, schemas), schemas) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_kind(_resolved(schema['items'], schemas), schemas)}"
    return str(schema.get("format") or _TYPES.get(schema.get("type", ""), schema.get("type", "anything")))


def _resolved(schema: Json, schemas: Json) -> Json:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    return schemas[name] if name else schema


def _prose(described: Json) -> Markup:
    """The text, with what stands between double backticks as code."""
    text = str(escape(described.get("description", "")))
    return Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", text))  # noqa: S704 - escaped before
