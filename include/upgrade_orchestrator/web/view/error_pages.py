"""Errors as pages for browsers; programs get the same problem as from the API."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from upgrade_orchestrator.domain.errors import (
    Forbidden,
    NotFound,
    Unauthenticated,
    Unavailable,
    UpgradeError,
    ValidationFailed,
)
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.web.http.problems import KINDS, problem
from upgrade_orchestrator.web.http.rate_limits import TooManyRequests
from upgrade_orchestrator.web.view.pages import page

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except UpgradeError as error:
                return error_page(request, error)
            except RequestValidationError as error:
                return error_page(request, _of_parameters(error))

        return handle


def error_page(request: Request, error: UpgradeError) -> Response:
    """The error page, or the problem if the caller does not accept HTML, both with the problem's status and headers."""
    response = problem(error, request.url.path)
    if "text/html" not in request.headers.get("accept", ""):
        return response
    shown = page(request, "refusal.html", response.status_code, **refusal(error))
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


def refusal(error: UpgradeError) -> dict[str, Any]:
    """The values of the error page."""
    return {
        "title": _title(error),
        "detail": error.detail,
        "errors": error.extra.get("errors", []),
        "advice": _advice(error),
        "sign": _sign(error),
        "signs_in": isinstance(error, Unauthenticated),
        "again": isinstance(error, Unavailable | TooManyRequests),
    }


def _of_parameters(error: RequestValidationError) -> UpgradeError:
    found = error.errors()
    if any(each["loc"][0] == "path" for each in found):
        return NotFound("this is not a valid id")
    return ValidationFailed(field_errors([{**each, "loc": each["loc"][1:]} for each in found]))


def _sign(error: UpgradeError) -> str:
    if isinstance(error, Unauthenticated | Forbidden):
        return "person"
    return "clock" if isinstance(error, Unavailable | TooManyRequests) else "question"


def _title(error: UpgradeError) -> str:
    return "You are not signed in any more" if isinstance(error, Unauthenticated) else KINDS[error.code].title


def _advice(error: UpgradeError) -> str:
    if isinstance(error, Unauthenticated):
        return (
            "Your session with Airflow has expired, or there was none. Reload the whole browser tab (not only this"
            " frame): Airflow then asks you to sign in, and leads you back here. Nothing was changed; upgrades go on."
        )
    if isinstance(error, Unavailable | TooManyRequests):
        return "Upgrades go on; only this page cannot be shown right now. Try again in a few seconds."
    if isinstance(error, NotFound):
        return (
            "It does not exist, or it belongs to a tenant that you may not see. An administrator of Airflow can"
            " give you a role there."
        )
    if isinstance(error, Forbidden):
        return (
            "Ask an administrator of Airflow for one of the Upgrade roles: Upgrade Viewer to see, Upgrade Operator to"
            " steer, Upgrade Approver to approve, or one of these for your tenant only."
        )
    return "Check the address, or go back to the list."
