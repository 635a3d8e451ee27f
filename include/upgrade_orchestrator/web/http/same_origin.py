"""Protection against cross-site requests that use the browser's cookie (specification section 9)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from upgrade_orchestrator.domain.errors import Forbidden
from upgrade_orchestrator.web.http.problems import UnsupportedMediaType

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def by_cookie(request: Request) -> bool:
    """Whether the caller is authenticated by the browser's cookie and not by a bearer token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return not (scheme.lower() == "bearer" and token)


def require_same_origin(request: Request) -> None:
    """Refuse a write by cookie unless it is JSON and sent by a page of this server.

    A page of another site cannot send JSON without this server's consent (CORS), nor hide its origin.

    :raises UnsupportedMediaType: it is not declared as JSON.
    :raises Forbidden: its origin is another server or is missing.
    """
    if request.method in SAFE or not by_cookie(request):
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("a call by cookie must be sent as Content-Type: application/json")
    if not _from_here(request):
        raise Forbidden("a call by cookie must come from a page of this server; anything else sends a Bearer token")


def _from_here(request: Request) -> bool:
    """Checks Sec-Fetch-Site; older browsers, and all on plain HTTP, send only Origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", "")).netloc
    return bool(origin) and origin.lower() == request.headers.get("host", "").lower()
