"""ETag and If-None-Match on executions: a repeated read returns 304 while nothing has changed."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Request, Response

from upgrade_orchestrator.schemas.executions import ExecutionResponse

_MOVES_BY_ITSELF = {"progress": {"estimated_completion_at"}}
"The estimate changes with every read; it is left out of the tag, which is therefore weak."

_TAG = {"headers": {"ETag": {"schema": {"type": "string"}}}}
UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: _TAG,
    304: {"description": "not changed since the ETag in If-None-Match", **_TAG},
}
CONDITIONAL: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "The ETag of an earlier response; 304 if nothing has changed since.",
            "schema": {"type": "string"},
        }
    ]
}
"For the OpenAPI description of a call: ``UNCHANGED`` as ``responses=``, ``CONDITIONAL`` as ``openapi_extra=``."


def tagged(request: Request, response: Response, answer: ExecutionResponse) -> ExecutionResponse | Response:
    """The response with its tag, or 304 if the caller has it already."""
    tag = etag_of(answer)
    if _names(request.headers.getlist("If-None-Match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return answer


def etag_of(answer: ExecutionResponse) -> str:
    """The tag, which is the same for the same state in every process."""
    shown = answer.model_dump_json(exclude=_MOVES_BY_ITSELF)
    return f'W/"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'


def _names(given: list[str], tag: str) -> bool:
    """Weak comparison by RFC 9110; ``*`` matches any tag."""
    names = [each.strip().removeprefix("W/") for line in given for each in line.split(",")]
    return "*" in names or tag.removeprefix("W/") in names
