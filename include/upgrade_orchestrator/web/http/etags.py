"""ETag and If-None-Match on executions: who asks again hears 304 while nothing has changed."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Request, Response

from upgrade_orchestrator.schemas.executions import ExecutionAnswer

_MOVES_BY_ITSELF = {"progress": {"estimated_completion_at"}}
"The estimate is made anew at every look; because of it the tag is weak."

_TAG = {"headers": {"ETag": {"schema": {"type": "string"}}}}
UNCHANGED: dict[int | str, dict[str, Any]] = {200: _TAG, 304: {"description": "as the If-None-Match says", **_TAG}}
CONDITIONAL: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "The ETag of an answer before: 304 when nothing has changed since.",
            "schema": {"type": "string"},
        }
    ]
}
"Both for the description of a call: ``responses=`` and ``openapi_extra=``."


def tagged(request: Request, response: Response, answer: ExecutionAnswer) -> ExecutionAnswer | Response:
    """The answer with its tag, or 304 when the caller has it already."""
    tag = etag_of(answer)
    if _names(request.headers.getlist("If-None-Match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return answer


def etag_of(answer: ExecutionAnswer) -> str:
    """The same for the same state, in whichever process."""
    shown = answer.model_dump_json(exclude=_MOVES_BY_ITSELF)
    return f'W/"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'


def _names(given: list[str], tag: str) -> bool:
    """As RFC 9110 compares: weakly, and ``*`` is whatever there is."""
    names = [each.strip().removeprefix("W/") for line in given for each in line.split(",")]
    return "*" in names or tag.removeprefix("W/") in names
