"""Which refusals each call knows (contract section 8), for the description of the API: codes, bodies, headers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi.routing import APIRoute

from upgrade_orchestrator.domain import errors as e
from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.web.http.idempotency import is_write
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

Refusal = type[e.UpgradeError]

_STEERING = (e.InvalidState, e.ConcurrentChange)
_PLANNING = (e.NotFound, e.ActiveUpgradeExists, e.VersionMismatch, e.UpgradeBlocked)
_ADDING = (e.NotFound, e.AlreadyExists)

OF_CALL: dict[str, tuple[Refusal, ...]] = {
    "health": (),
    "create": _PLANNING,
    "list_of_tenant": (),
    "active": (e.NoActiveUpgrade,),
    "read": (),
    "plan": (),
    "instances": (),
    "events": (),
    "start": _STEERING,
    "pause": _STEERING,
    "resume": (*_STEERING, e.UpgradeBlocked),
    "cancel": _STEERING,
    "promote_canary": (*_STEERING, e.CanaryUnhealthy, e.UpgradeBlocked),
    "rollback": _STEERING,
    "retry": (*_STEERING, *_PLANNING),
    "approve": (*_STEERING, e.UpgradeBlocked),
    "reject": _STEERING,
    "components": (),
    "add_component": (e.AlreadyExists,),
    "versions": (),
    "add_version": _ADDING,
    "set_status": (),
    "paths": (),
    "add_path": (*_ADDING, e.VersionMismatch),
    "calculate": (e.NotFound, e.VersionMismatch),
    "compatibility": (e.VersionMismatch,),
    "deployment": (),
    "put_deployment": (e.NotFound, e.VersionMismatch, e.ActiveUpgradeExists),
    "backups": (),
    "add_backup": (*_ADDING, e.VersionMismatch),
    "statistics": (),
    "parked": (),
    "release": (e.NotFound,),
}
"What a call refuses beside what follows from its shape; by the route's name, each must be here."

_SAMPLES: dict[Refusal, e.UpgradeError] = {
    e.ValidationFailed: e.ValidationFailed.of("batchSize", "should be greater than or equal to 1"),
    e.ActiveUpgradeExists: e.ActiveUpgradeExists("0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e"),
    e.UpgradeBlocked: e.UpgradeBlocked(["dependency postgresql: 14.9 is not in >=15,<18"]),
    e.InvalidState: e.InvalidState("pause", "PENDING", ["IN_PROGRESS", "CANARY_RUNNING"]),
    e.CanaryUnhealthy: e.CanaryUnhealthy("kafka-1: no answer"),
    e.Forbidden: lacking("olga", Permission.OPERATE),
}
"Those that are made of more than a text."
_TEXTS: dict[Refusal, str] = {
    e.NotFound: "there is no execution 0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e",
    e.NoActiveUpgrade: "tenant 550e8400 has no active upgrade of component aaa-111",
    e.Unauthenticated: "Not authenticated: send Authorization: Bearer with a token of Airflow",
    e.Unavailable: "the database does not answer",
    Malformed: "the body is not valid JSON in UTF-8",
    TooLarge: "the body may have 1048576 bytes",
}
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def refusals_of(route: APIRoute) -> list[Refusal]:
    """All that a call of ``route`` may be refused with."""
    found: list[Refusal] = [*OF_CALL[route.name], e.Unavailable]
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
    return list(dict.fromkeys(found))


def responses_of(route: APIRoute) -> dict[str, Any]:
    """The refusals as OpenAPI responses: by status, each code with an example."""
    by_status = defaultdict[int, list[Refusal]](list)
    for each in refusals_of(route):
        by_status[KINDS[each.code].status.value].append(each)
    return {str(status): _response(status, by_status[status], route.path) for status in sorted(by_status)}


def _response(status: int, refusals: Iterable[Refusal], path: str) -> dict[str, Any]:
    by_code = {each.code: each for each in refusals}
    narrowed = {"properties": {"code": {"enum": sorted(by_code)}, "status": {"const": status}}}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
        "examples": {
            code: {"summary": KINDS[code].title, "value": _example(each, path)} for code, each in by_code.items()
        },
    }
    described: dict[str, Any] = {"description": ", ".join(by_code), "content": {MEDIA_TYPE: content}}
    if name := _HEADERS.get(status):
        kind = "integer" if name == "Retry-After" else "string"
        described["headers"] = {name: {"required": True, "schema": {"type": kind}}}
    return described


def _example(refusal: Refusal, path: str) -> dict[str, Any]:
    sample = _SAMPLES.get(refusal) or refusal(_TEXTS.get(refusal, KINDS[refusal.code].title.lower()))
    return problem_body(sample, f"/api/v1/registry{path}")


PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457; more members by code.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "blockers": {"type": "array", "items": {"type": "string"}},
        "currentStatus": {"type": "string"},
        "allowedFrom": {"type": "array", "items": {"type": "string"}},
        "activeExecutionId": {"type": "string"},
        "parts": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
