"""The error responses (specification section 8) as FastAPI's ``responses=``: by status, an example for each code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi.routing import APIRoute

from upgrade_orchestrator.domain import errors as e
from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.schemas.base import SOME_ID
from upgrade_orchestrator.web.http.idempotency import DESCRIBED_KEY, KeyedRoute, is_write
from upgrade_orchestrator.web.http.problems import (
    KINDS,
    MEDIA_TYPE,
    Malformed,
    TooLarge,
    UnsupportedMediaType,
    problem_body,
)
from upgrade_orchestrator.web.http.rate_limits import TooManyRequests
from upgrade_orchestrator.web.security import PUBLIC

Responses = dict[int | str, dict[str, Any]]
ErrorKind = type[e.UpgradeError]

_STEERING = (e.InvalidState, e.ConcurrentChange)
_EXAMPLES: dict[str, e.UpgradeError] = {
    each.code: each
    for each in (
        e.NotFound(f"there is no execution {SOME_ID}"),
        e.NoActiveUpgrade("tenant 550e8400 has no active upgrade of component aaa-111"),
        e.ValidationFailed.of("batchSize", "should be greater than or equal to 1"),
        e.ActiveUpgradeExists(SOME_ID),
        e.UpgradeBlocked(["dependency postgresql: 14.9 is not in >=15,<18"]),
        e.InvalidState("pause", "PENDING", ["IN_PROGRESS", "CANARY_RUNNING"]),
        e.CanaryUnhealthy("kafka-1: no answer"),
        e.Unauthenticated("Not authenticated: send Authorization: Bearer with a token of Airflow"),
        lacking("olga", Permission.OPERATE),
        e.Unavailable("the database does not answer"),
        e.FleetUnusable("fleet demo cannot be used: the agent does not answer (ClientConnectorError)"),
        Malformed("the body is not valid JSON in UTF-8"),
        TooLarge("the body may have at most 1048576 bytes"),
        UnsupportedMediaType("the body must be sent as Content-Type: application/json"),
        TooManyRequests("olga makes more calls than 50 a second"),
        e.AlreadyExists("the id aaa-111 is taken"),
        e.VersionMismatch("toVersionId ccc-333 is not a version of component aaa-111"),
        e.ConcurrentChange(f"execution {SOME_ID} was changed in the meantime"),
        e.IdempotencyConflict("the Idempotency-Key was used for another request: take a new one for a new request"),
    )
}
"By code; has every code that a call declares."
_BASE = "/api/v1/registry"
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def error_responses(*kinds: ErrorKind) -> Responses:
    """``responses=`` of a call: the errors that do not follow from its shape (see ``_by_shape``)."""
    return _responses({each.code for each in kinds}, "/")


def error_responses_by_status(*kinds: ErrorKind) -> Responses:
    """``responses=`` of a command: also the errors when the execution's status does not allow it."""
    return error_responses(*_STEERING, *kinds)


class ApiRoute(KeyedRoute):
    """A call of the API, described with all its errors and, for a write, the Idempotency-Key."""

    def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        codes = codes_in(self.responses) | {each.code for each in _by_shape(self)}
        self.responses = {**self.responses, **_responses(codes, path)}
        if is_write(self):
            extra = self.openapi_extra or {}
            others = [each for each in extra.get("parameters", ()) if each != DESCRIBED_KEY]
            self.openapi_extra = {**extra, "parameters": [*others, DESCRIBED_KEY]}


def codes_in(responses: Responses) -> set[str]:
    """The error codes in the responses."""
    contents = (each.get("content", {}).get(MEDIA_TYPE, {}) for each in responses.values())
    return {code for each in contents for code in each.get("examples", ())}


def _by_shape(route: APIRoute) -> list[ErrorKind]:
    found: list[ErrorKind] = [e.Unavailable]
    if route.name not in PUBLIC:
        found += [e.Unauthenticated, e.Forbidden, TooManyRequests]
    if "{" in route.path:
        found.append(e.NotFound)
    if "requestBody" in (route.openapi_extra or {}):
        found += [Malformed, TooLarge, UnsupportedMediaType, e.ValidationFailed]
    if route.dependant.query_params:
        found.append(e.ValidationFailed)
    if is_write(route):
        found += [e.IdempotencyConflict, e.ValidationFailed, TooLarge]
    return found


def _responses(codes: Iterable[str], path: str) -> Responses:
    by_status = defaultdict[int, list[str]](list)
    for code in sorted(codes):
        by_status[KINDS[code].status.value].append(code)
    return {status: _response(status, by_status[status], path) for status in sorted(by_status)}


def _response(status: int, codes: list[str], path: str) -> dict[str, Any]:
    narrowed = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
    shown = {code: problem_body(_EXAMPLES[code], f"{_BASE}{path}") for code in codes}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
        "examples": {code: {"summary": KINDS[code].title, "value": value} for code, value in shown.items()},
    }
    described: dict[str, Any] = {"description": ", ".join(codes), "content": {MEDIA_TYPE: content}}
    if name := _HEADERS.get(status):
        kind = "integer" if name == "Retry-After" else "string"
        described["headers"] = {name: {"required": True, "schema": {"type": kind}}}
    return described
