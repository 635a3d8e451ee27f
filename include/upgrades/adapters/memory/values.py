"""Values that nobody else can change, as a column of a database holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Thing = TypeVar("Thing", bound=DataclassInstance)


def as_json(value: Mapping[str, Any]) -> str:
    """The text of a JSON column: tuples become lists there, enums their values."""
    return json.dumps(dict(value))


def own(thing: Thing) -> Thing:
    """The same value with mappings of its own, and with its times in UTC."""
    values = ((each.name, getattr(thing, each.name)) for each in fields(thing))
    return replace(thing, **{name: _own(value) for name, value in values if isinstance(value, Mapping | datetime)})


def _own(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else json.loads(as_json(value))
