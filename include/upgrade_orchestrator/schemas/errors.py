"""What Pydantic found wrong with a body, as the fields of a refusal (contract section 8)."""

from __future__ import annotations

from typing import Any


def field_errors(errors: list[Any]) -> list[dict[str, str]]:
    """Pydantic's findings as ``{field, message}``; never the value, it could be a secret."""
    return [{"field": _field(each["loc"]), "message": _message(each)} for each in errors]


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or "body"


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown field"
    if error["type"] == "missing":
        return "is required"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
