"""Reads a JSON body strictly (specification sections 2 and 8): nothing is guessed, nothing is coerced."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.web.http.problems import Malformed, TooLarge, UnsupportedMediaType

MAX_BYTES = 1 << 20
_DRAINED_BYTES = 16 << 20
"How much of an oversized body is read and discarded, so that its sender gets the response and not a reset."

B = TypeVar("B", bound=BaseModel)


def body_of(model: type[B]) -> Callable[[Request], Awaitable[B]]:
    """The dependency that reads the body of a call as ``model``.

    It raises UnsupportedMediaType, TooLarge, Malformed and ValidationFailed.
    """

    async def read(request: Request) -> B:
        _require_json(request)
        return parse(model, await content_of(request))

    return read


def optional_body_of(model: type[B]) -> Callable[[Request], Awaitable[B]]:
    """Like ``body_of``, but an empty body counts as an empty object."""

    async def read(request: Request) -> B:
        content = await content_of(request)
        if not content:
            return model()
        _require_json(request)
        return parse(model, content)

    return read


def documented(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """``openapi_extra`` for a call that reads ``model``; description.py adds the schema."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": reference}}}}


def parse(model: type[B], content: bytes) -> B:
    """Parse ``content`` as ``model``.

    :raises Malformed: it is not JSON.
    :raises ValidationFailed: with every offending field.
    """
    repeated: list[str] = []
    _check_json(content, repeated)
    try:
        found = model.model_validate_json(content)
    except ValidationError as error:
        raise _refusal(error, repeated) from None
    if repeated:
        raise ValidationFailed(_named_twice(repeated))
    return found


def _refusal(error: ValidationError, repeated: list[str]) -> Malformed | ValidationFailed:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(each["type"] == "json_invalid" for each in found):
        return Malformed("the body is not valid JSON in UTF-8")
    return ValidationFailed(field_errors(list(found)) + _named_twice(repeated))


def _named_twice(names: list[str]) -> list[dict[str, str]]:
    return [{"field": name, "message": "is given more than once"} for name in dict.fromkeys(names)]


def _check_json(content: bytes, repeated: list[str]) -> None:
    """Refuse what is not JSON, and collect duplicate keys in ``repeated`` (the models refuse NaN themselves)."""

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(name for name in found if names.count(name) > 1)
        return found

    try:
        json.loads(content.decode("utf-8"), object_pairs_hook=collect)
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON in UTF-8") from None


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("the body must be sent as Content-Type: application/json")


async def content_of(request: Request) -> bytes:
    """The raw body, read once and cached.

    :raises TooLarge: it is over the limit.
    """
    if not hasattr(request.state, "content"):
        request.state.content = await _read(request)
    content: bytes = request.state.content
    return content


async def _read(request: Request) -> bytes:
    content, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _DRAINED_BYTES:
            break
        if size <= MAX_BYTES:
            content += chunk
    if size > MAX_BYTES:
        raise TooLarge(f"the body may have at most {MAX_BYTES} bytes")
    return bytes(content)
