"""Errors as RFC 9457 ``application/problem+json`` (contract section 8): the one place where they become answers."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

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

    code, status, title = "MALFORMED", 400, "Malformed request"


class TooLarge(UpgradeError):
    """The body is over the limit."""

    code, status, title = "PAYLOAD_TOO_LARGE", 413, "Payload too large"


class UnsupportedMediaType(UpgradeError):
    """The body is not declared to be JSON; a browser's form never is, so it cannot be sent by another site."""

    code, status, title = "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type"


class ProblemResponse(JSONResponse):
    """A JSON answer with the problem media type."""

    media_type = MEDIA_TYPE


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem, FastAPI's own ones too; the unexpected ones are middleware's."""
    app.add_exception_handler(UpgradeError, _of_domain)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(HTTPException, _of_framework)


def problem(error: UpgradeError, path: str) -> ProblemResponse:
    """The answer for ``error``."""
    return ProblemResponse(problem_body(error, path), error.status, _headers(error))


def problem_body(error: UpgradeError, path: str) -> dict[str, Any]:
    """Its body; ``extra`` cannot replace RFC 9457's own members."""
    return dict(error.extra) | {
        "type": f"urn:registry:problem:{error.code.lower().replace('_', '-')}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": path,
        "code": error.code,
    }


def unexpected(request_id: str, path: str) -> ProblemResponse:
    """A 500 that says nothing of its cause: the log has it under ``request_id``."""
    return problem(UpgradeError(f"something went wrong here; the log has it as request {request_id}"), path)


def _headers(error: UpgradeError) -> dict[str, str] | None:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.seconds)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None


def _path(request: Request) -> str:
    return request.url.path


async def _of_domain(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, UpgradeError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s %s: %s (%r)", request.method, _path(request), error.detail, error.__cause__)
    return problem(error, _path(request))


async def _of_parameters(request: Request, error: Exception) -> ProblemResponse:
    """An id in the path that cannot exist is 404; everything else of the query is 422."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    wrong = [each for each in found if each["loc"][0] == "path"]
    if wrong:
        return problem(NotFound(f"{wrong[0]['loc'][-1]} is not an id that can exist"), _path(request))
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
    """Of all routes with this path; the framework names the first one's only."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found = [route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    return ", ".join(sorted({method for route in found for method in route.methods or ()}))


def _detail(request: Request, status: HTTPStatus) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return f"there is nothing at {_path(request)}"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return status.description or status.phrase
