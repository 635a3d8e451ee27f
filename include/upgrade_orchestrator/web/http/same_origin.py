"""Keeps other sites from steering upgrades with the cookie that a browser adds by itself (contract section 9)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from upgrade_orchestrator.domain.errors import Forbidden
from upgrade_orchestrator.web.http.problems import UnsupportedMediaType

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def by_cookie(request: Request) -> bool:
    """Whether the browser vouches for the caller, not a token that the caller has put there on purpose."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return not (scheme.lower() == "bearer" and token)


def require_same_origin(request: Request) -> None:
    """Refuse a write that comes by cookie, unless a page of this very server has made it and as JSON.

    No page of another site can send JSON without this server's leave, nor hide where it comes from.

    :raises UnsupportedMediaType: it is not declared as JSON; :raises Forbidden: another origin, or none that is told.
    """
    if request.method in SAFE or not by_cookie(request):
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("a call by cookie must be sent as Content-Type: application/json")
    if not _from_here(request):
        raise Forbidden("a call by cookie must come from a page of this server; anything else sends a Bearer token")


def _from_here(request: Request) -> bool:
    """What the browser says of itself; older ones, and those on plain HTTP, tell the origin only."""
    told = request.headers.get("sec-fetch-site")
    if told is not None:
        return told == "same-origin"
    origin = urlsplit(request.headers.get("origin", "")).netloc
    return bool(origin) and origin.lower() == request.headers.get("host", "").lower()
