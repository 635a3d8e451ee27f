"""Writes what is registered as a file that loads back to the same; the order is always the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import yaml
from pydantic.alias_generators import to_camel

from upgrade_orchestrator.cli.registry.document import SECTIONS
from upgrade_orchestrator.domain.registry.entries import RegistryEntry

_HEAD = "# The component registry; load it with: airflow upgrades registry load FILE\n"
_ALWAYS = frozenset({"status", "risk_level"})
"Written even where it is the default: what decides should be seen."


class _Dumper(yaml.SafeDumper):
    """Writes an aliased value out each time."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def text_of(things: Iterable[RegistryEntry]) -> str:
    """The file's text; a field that is as it is by default is left out."""
    known = list(things)
    document = {
        section: found
        for section, (_, kind) in SECTIONS.items()
        if (found := [_fields(each) for each in known if isinstance(each, kind)])
    }
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _fields(thing: RegistryEntry) -> dict[str, Any]:
    found = {}
    for each in fields(thing):
        value = getattr(thing, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if each.name in _ALWAYS or value != default:
            found[to_camel(each.name)] = _plain(value)
    return found


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() | StrEnum():
            return str(value)
        case tuple():
            return list(value)
        case dict():
            return dict(sorted(value.items()))
    return value
