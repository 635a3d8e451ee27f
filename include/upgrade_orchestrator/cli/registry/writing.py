"""Writes the registry as a file that loads back unchanged; the order is always the same."""

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
"Fields written even with their default, because they decide whether an upgrade is allowed."


class _Dumper(yaml.SafeDumper):
    """Writes repeated values in full, without aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def text_of(entries: Iterable[RegistryEntry]) -> str:
    """The file's text, without fields that have their default."""
    known = list(entries)
    document = {
        section: found
        for section, (_, kind) in SECTIONS.items()
        if (found := [_fields(each) for each in known if isinstance(each, kind)])
    }
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _fields(entry: RegistryEntry) -> dict[str, Any]:
    found = {}
    for each in fields(entry):
        value = getattr(entry, each.name)
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
