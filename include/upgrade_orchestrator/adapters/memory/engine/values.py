"""Values that nobody else can change, as a column of a database holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    RegistryEntry = TypeVar("RegistryEntry", bound=DataclassInstance)


def as_json(value: Mapping[str, Any]) -> str:
    """The text of a JSON column: tuples become lists there, enums their values."""
    return json.dumps(dict(value))


def own(thing: RegistryEntry) -> RegistryEntry:
    """The same value with mappings of its own, and with its times in UTC."""
    changed: dict[str, Any] = {}
    for name in _names(type(thing)):
        value = getattr(thing, name)
        if isinstance(value, datetime):
            if value.tzinfo is not UTC:
                changed[name] = value.astimezone(UTC)
        elif value is not None and not isinstance(value, str | int) and isinstance(value, Mapping):
            changed[name] = json.loads(as_json(value))
    return replace(thing, **changed) if changed else thing


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
