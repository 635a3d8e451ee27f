"""Renders the pages: templates with autoescape, and the security headers of every page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from upgrade_orchestrator.web.view import words
from upgrade_orchestrator.web.view.bars import bar_parts

FOLDER = Path(__file__).parent
PREFIX = "/view"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"Only content of this server is loaded, even if a name or a reason contains hostile text; nothing is cached."


@cache
def templates() -> Environment:
    """The templates, loaded once; an undefined name raises an error."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(words.FILTERS)
    found.globals.update(words.GLOBALS | {"bar_parts": bar_parts})
    return found


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render ``template``; ``home`` is the relative path from the page to the root of the view."""
    home = values.pop("home", None) or home_of(request)
    content = templates().get_template(template).render(values, home=home)
    return HTMLResponse(content, status, HEADERS)


def home_of(request: Request) -> str:
    """The relative path to the view's root, so that links work under any base path of Airflow."""
    path = str(request.scope["path"])
    depth = path[path.rindex(f"{PREFIX}/") + len(PREFIX) + 1 :].count("/")
    return "../" * depth or "./"
