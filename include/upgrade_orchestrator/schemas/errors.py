"""The body of an error response (specification section 8), with Pydantic's findings as its ``errors``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class FieldError(BaseModel):
    """The error of one field."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem by RFC 9457; the fields after ``code`` are present for some codes only."""

    type: str = Field(json_schema_extra={"format": "uri-reference"})
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldError] = Field(default_factory=list)
    blockers: list[str] = Field(default_factory=list)
    currentStatus: str = Field(default_factory=str)
    allowedFrom: list[str] = Field(default_factory=list)
    activeExecutionId: str = Field(default_factory=str)
    newestExecutionId: str = Field(default_factory=str)
    parts: dict[str, str] = Field(default_factory=dict)


def field_errors(errors: list[Any]) -> list[dict[str, str]]:
    """Pydantic's findings as ``{field, message}``, without the value, which could be a secret."""
    return [{"field": _field(each["loc"]), "message": _message(each)} for each in errors]


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or "body"


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown field"
    if error["type"] == "missing":
        return "is required"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
