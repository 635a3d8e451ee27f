"""Style sheets and scripts of the pages. They need no token, because the page for missing tokens uses them too."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import FOLDER

router = APIRouter(prefix="/view/static", include_in_schema=False, route_class=PageRoute)

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/{name}")
async def asset(name: Annotated[str, Path(max_length=100)], request: Request) -> Response:
    """The file, or 304 if the browser has it. Browsers revalidate it each time, so that page and script match."""
    content, tag, media_type = _read(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


@cache
def _files() -> frozenset[str]:
    return frozenset(each.name for each in (FOLDER / "static").iterdir() if each.suffix in _TYPES)


def _read(name: str) -> tuple[bytes, str, str]:
    if name not in _files():
        raise NotFound(f"there is no file {name}")
    return _loaded(name)


@cache
def _loaded(name: str) -> tuple[bytes, str, str]:
    path = FOLDER / "static" / name
    content = path.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"', _TYPES[path.suffix]
