"""Turns errors into responses, RFC 9457 ``application/problem+json`` (specification section 8)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from upgrade_orchestrator.domain.errors import NotFound, Unavailable, UpgradeError, ValidationFailed
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.web.http.rate_limits import TooManyRequests

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class Malformed(UpgradeError):
    """The body is not JSON."""

    code = "MALFORMED"


class TooLarge(UpgradeError):
    """The body is over the limit."""

    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(UpgradeError):
    """The body is not declared as JSON. An HTML form cannot declare it, so no other site can send one."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class Kind(NamedTuple):
    """Status and title of the responses with one code."""

    status: HTTPStatus
    title: str


KINDS: dict[str, Kind] = {
    "MALFORMED": Kind(HTTPStatus.BAD_REQUEST, "Malformed request"),
    "UNAUTHENTICATED": Kind(HTTPStatus.UNAUTHORIZED, "Not authenticated"),
    "FORBIDDEN": Kind(HTTPStatus.FORBIDDEN, "Forbidden"),
    "NOT_FOUND": Kind(HTTPStatus.NOT_FOUND, "Not found"),
    "NO_ACTIVE_UPGRADE": Kind(HTTPStatus.NOT_FOUND, "No active upgrade"),
    "ALREADY_EXISTS": Kind(HTTPStatus.CONFLICT, "Already exists"),
    "ACTIVE_UPGRADE_EXISTS": Kind(HTTPStatus.CONFLICT, "An upgrade is active already"),
    "INVALID_STATE": Kind(HTTPStatus.CONFLICT, "Not possible in this status"),
    "CANARY_UNHEALTHY": Kind(HTTPStatus.CONFLICT, "Canaries are not healthy"),
    "IDEMPOTENCY_CONFLICT": Kind(HTTPStatus.CONFLICT, "Idempotency-Key used for another request"),
    "CONCURRENT_CHANGE": Kind(HTTPStatus.CONFLICT, "Changed by another call meanwhile"),
    "LOST_LEASE": Kind(HTTPStatus.CONFLICT, "Lease lost"),
    "PAYLOAD_TOO_LARGE": Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Payload too large"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
    "VALIDATION_FAILED": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation failed"),
    "VERSION_MISMATCH": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Version of another component"),
    "UPGRADE_BLOCKED": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Upgrade blocked"),
    "TOO_MANY_REQUESTS": Kind(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "INTERNAL_ERROR": Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    "SERVICE_UNAVAILABLE": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable"),
    "FLEET_UNUSABLE": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Fleet unusable"),
}
"By error code; a test checks that every code is here, and no other."


class ProblemResponse(JSONResponse):
    """A JSON response with the problem media type."""

    media_type = MEDIA_TYPE


def install(app: FastAPI) -> None:
    """Turn every error of ``app``, including FastAPI's own, into a problem; middleware.py does the unexpected ones."""
    app.add_exception_handler(UpgradeError, _of_domain)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(HTTPException, _of_framework)


def problem(error: UpgradeError, path: str) -> ProblemResponse:
    """The response for ``error``."""
    return ProblemResponse(problem_body(error, path), KINDS[error.code].status, _headers(error))


def problem_body(error: UpgradeError, path: str) -> dict[str, Any]:
    """The body for ``error``; its ``extra`` cannot replace members of RFC 9457."""
    kind = KINDS[error.code]
    return dict(error.extra) | {
        "type": f"urn:registry:problem:{error.code.lower().replace('_', '-')}",
        "title": kind.title,
        "status": kind.status.value,
        "detail": error.detail,
        "instance": path,
        "code": error.code,
    }


def unexpected(request_id: str, path: str) -> ProblemResponse:
    """A 500 without the cause, which the log has under ``request_id``."""
    return problem(UpgradeError(f"internal error; the log has the cause under request {request_id}"), path)


def _headers(error: UpgradeError) -> dict[str, str] | None:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.seconds)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if KINDS[error.code].status is HTTPStatus.UNAUTHORIZED else None


def _path(request: Request) -> str:
    return request.url.path


async def _of_domain(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, UpgradeError)
    if KINDS[error.code].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s %s: %s (%r)", request.method, _path(request), error.detail, error.__cause__)
    return problem(error, _path(request))


async def _of_parameters(request: Request, error: Exception) -> ProblemResponse:
    """404 for an impossible id in the path, 422 for anything else."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    wrong = [each for each in found if each["loc"][0] == "path"]
    if wrong:
        return problem(NotFound(f"{wrong[0]['loc'][-1]} is not a valid id"), _path(request))
    plain = [{**each, "loc": each["loc"][1:]} for each in found]
    return problem(ValidationFailed(field_errors(plain)), _path(request))


async def _of_framework(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": _detail(request, status),
        "instance": _path(request),
        "code": status.name,
    }
    headers = {"Allow": _allowed(request)} if status is HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return ProblemResponse(body, status.value, headers)


def _allowed(request: Request) -> str:
    """The methods of all routes with this path; the framework would list only those of the first."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found = [route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    return ", ".join(sorted({method for route in found for method in route.methods or ()}))


def _detail(request: Request, status: HTTPStatus) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return f"there is nothing at {_path(request)}"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return status.description or status.phrase
