"""The registry's content as a document: what the local set-up and the tests fill it with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from typing import Any

from include.upgrades.domain.errors import ValidationFailed
from include.upgrades.domain.registry import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)

Thing = Component | ComponentVersion | UpgradePath | Deployment | Backup

SECTIONS: dict[str, type] = {
    "components": Component,
    "versions": ComponentVersion,
    "upgradePaths": UpgradePath,
    "deployments": Deployment,
    "backups": Backup,
}
"In the order in which one needs the other."

_READERS: dict[str, Any] = {
    "status": VersionStatus,
    "risk_level": RiskLevel,
    "release_date": date.fromisoformat,
    "end_of_life_date": date.fromisoformat,
    "created_at": datetime.fromisoformat,
}


def things_in(document: Mapping[str, Any]) -> Iterator[Thing]:
    """Everything that ``document`` names, parents first.

    :raises ValidationFailed: a section or field that is unknown, missing or cannot be understood.
    """
    unknown = sorted(set(document) - set(SECTIONS))
    if unknown:
        raise ValidationFailed([{"field": name, "message": "unknown section"} for name in unknown])
    for section, kind in SECTIONS.items():
        for index, given in enumerate(document.get(section, ())):
            yield _thing(kind, f"{section}.{index}", given)


def _thing(kind: type, place: str, given: Mapping[str, Any]) -> Any:
    values = {_snake(name): value for name, value in given.items()}
    known = {each.name: each for each in fields(kind)}
    wrong = [f"{place}.{name}" for name in given if _snake(name) not in known]
    wrong += [f"{place}.{name} (missing)" for name, each in known.items() if _is_needed(each) and name not in values]
    if wrong:
        raise ValidationFailed([{"field": name, "message": "unknown or missing"} for name in wrong])
    return kind(**{name: _value(f"{place}.{name}", name, value) for name, value in values.items()})


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(place: str, name: str, value: Any) -> Any:
    try:
        value = _READERS[name](value) if name in _READERS and value is not None else value
    except ValueError as error:
        raise ValidationFailed.of(place, str(error)) from None
    return tuple(value) if isinstance(value, list) else value


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
