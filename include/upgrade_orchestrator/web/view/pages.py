"""Makes the pages: templates of this folder, everything in them escaped, and the headers that every page carries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from upgrade_orchestrator.web.view import words

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
"Only what comes from this server runs or shows, also when a name or a reason is hostile; nothing stays in a cache."


@cache
def templates() -> Environment:
    """The templates, read once; an undefined name is an error, not a gap in the page."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(words.FILTERS)
    found.globals.update(words.GLOBALS)
    return found


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page made of ``template``; ``home`` is the way from where it is shown to the view's own root, relative."""
    content = templates().get_template(template).render({"home": home_of(request)} | values)
    return HTMLResponse(content, status, HEADERS)


def home_of(request: Request) -> str:
    """How many folders up the view's root is, so that links work under whatever base path Airflow is served."""
    path = str(request.scope["path"])
    depth = path[path.rindex(f"{PREFIX}/") + len(PREFIX) + 1 :].count("/")
    return "../" * depth or "./"
