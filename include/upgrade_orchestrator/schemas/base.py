"""The types of which request and response bodies are made (specification: ids and times; section 2, strictness)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from upgrade_orchestrator.domain.registry.texts import MAX_VERSION, VERSION_PATTERN, version_problem

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
BIGGEST = 2**63 - 1
"The largest value of a 64-bit column."
SOME_ID = "0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e"
SOME_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
"Values for examples."

_IN_REACH = "^(?!0001-01-01|9999-12-31)"
"Excludes days that may leave the range of years when converted to UTC."
_TIME = re.compile(_IN_REACH + r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character NUL")
    return text


def _version(text: str) -> str:
    if problem := version_problem(text):
        raise ValueError(problem)
    return text


def _rfc3339(value: object) -> datetime:
    """Stricter than Pydantic, which accepts "1700000000" as a time. Digits beyond microseconds are cut off."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("should be a time such as 2026-01-31T12:00:00Z")


def _full_date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("should be a date such as 2026-01-31")


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _with_z(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_NO_NUL = Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})
"For the schema only; ``_without_nul`` enforces it with a clearer message."

Whole = BeforeValidator(_whole)
"Accepts 2.0 as an integer, as JSON Schema does, since JSON has one type of number; 2.5 is refused."
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_without_nul), _NO_NUL]
Label = Annotated[str, StringConstraints(max_length=255), AfterValidator(_without_nul), _NO_NUL]
VersionText = Annotated[
    str,
    AfterValidator(_version),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_VERSION, "pattern": VERSION_PATTERN}),
]
Text = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_without_nul), _NO_NUL]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_without_nul), _NO_NUL]
Texts = Annotated[list[Text], Field(max_length=200)]
MapSize = Field(max_length=200, json_schema_extra={"additionalProperties": False})
"""For maps with ``Name`` keys: their schema has a pattern for the keys, and without this, a key that does not match
would be allowed with any value."""
Installed = Annotated[dict[Name, Name], MapSize]
"""What is installed, as it says of itself: "16.4 (Debian 16.4-1.pgdg120+1)"."""
TimeIn = Annotated[
    datetime,
    BeforeValidator(_rfc3339),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _IN_REACH}, mode="validation"),
]
DateIn = Annotated[
    date, BeforeValidator(_full_date), WithJsonSchema({"type": "string", "format": "date"}, mode="validation")
]
Time = Annotated[
    datetime,
    PlainSerializer(_with_z, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:05.310000Z"]}, mode="serialization"
    ),
]


class Body(BaseModel):
    """A request body: unknown fields are refused, and values are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class Query(BaseModel):
    """Query parameters; unknown ones are refused, so that a typo does not silently become a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class ResponseBody(BaseModel):
    """A response body: every field is present, and null if it has no value."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, from_attributes=True, extra="ignore"
    )
