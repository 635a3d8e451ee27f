"""Copies of values that no other code can change, like values in a database column."""

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
    """The text of a JSON column: tuples become lists, enums their values."""
    return json.dumps(dict(value))


def own(value: RegistryEntry) -> RegistryEntry:
    """A copy of the value with its own mappings and with times in UTC."""
    changed: dict[str, Any] = {}
    for name in _names(type(value)):
        field = getattr(value, name)
        if isinstance(field, datetime):
            if field.tzinfo is not UTC:
                changed[name] = field.astimezone(UTC)
        elif field is not None and not isinstance(field, str | int) and isinstance(field, Mapping):
            changed[name] = json.loads(as_json(field))
    return replace(value, **changed) if changed else value


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
