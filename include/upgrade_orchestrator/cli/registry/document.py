"""The schema of a registry file: lists of entries as in the REST API, each with its own and its parents' ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    RiskLevel,
    UpgradePath,
)
from upgrade_orchestrator.domain.registry.merge import Entry
from upgrade_orchestrator.schemas.base import BIGGEST, Id, Name
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.schemas.registry import BackupBody, ComponentBody, DeploymentBody, PathBody, VersionBody

Mixed = dict[Name, Annotated[int, Field(ge=0, le=BIGGEST)]]


class ComponentEntry(ComponentBody):
    """An entry of ``components``."""

    id: Id


class VersionEntry(VersionBody):
    """An entry of ``versions``."""

    id: Id
    component_id: Id


class PathEntry(PathBody):
    """An entry of ``upgradePaths``."""

    id: Id


class DeploymentEntry(DeploymentBody):
    """An entry of ``deployments``; without ``mixed``, the stored value is kept."""

    tenant_id: Id
    component_id: Id
    mixed: Mixed | None = None


class BackupEntry(BackupBody):
    """An entry of ``backups``."""

    id: Id
    tenant_id: Id
    component_id: Id


SECTIONS: dict[str, tuple[type[BaseModel], type[RegistryEntry]]] = {
    "components": (ComponentEntry, Component),
    "versions": (VersionEntry, ComponentVersion),
    "upgradePaths": (PathEntry, UpgradePath),
    "deployments": (DeploymentEntry, Deployment),
    "backups": (BackupEntry, Backup),
}
"Ordered so that referenced entries come first."


def entries_in(document: object) -> list[Entry]:
    """All entries of ``document``, referenced ones first; values may be text, as in YAML.

    :raises ValidationFailed: with every section and field that is unknown, missing or invalid.
    """
    if not isinstance(document, Mapping):
        raise ValidationFailed.of("", f"must have some of the sections {', '.join(SECTIONS)}")
    errors = [
        _error(str(name), f"unknown section; the sections are {', '.join(SECTIONS)}")
        for name in document
        if name not in SECTIONS
    ]
    entries: list[Entry] = []
    for path, kind, given in _given(document, errors):
        try:
            entries.append(_entry(path, kind, given))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            errors += [_error(f"{path}{_inner(each['loc'])}", field_errors([each])[0]["message"]) for each in found]
    if errors:
        raise ValidationFailed(errors)
    return entries


def _given(document: Mapping[Any, Any], errors: list[dict[str, str]]) -> Iterator[tuple[str, str, object]]:
    for section in SECTIONS:
        listed = document.get(section)
        if listed is not None and not isinstance(listed, list):
            errors.append(_error(section, "must be a list"))
            continue
        for index, given in enumerate(listed or ()):
            if isinstance(given, Mapping):
                yield f"{section}[{index}]", section, given
            else:
                errors.append(_error(f"{section}[{index}]", "must have fields, such as id"))


def _entry(path: str, section: str, given: object) -> Entry:
    model, kind = SECTIONS[section]
    read = model.model_validate(given, strict=False)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in read}
    without_risk = values.get("risk_level", RiskLevel.HIGH) is None
    if without_risk:
        values["risk_level"] = RiskLevel.HIGH  # replaced later by the default for the path's type
    return Entry(path, kind(**values), without_risk)


def _inner(location: tuple[int | str, ...]) -> str:
    parts = (part for part in location if part != "[key]")
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _error(path: str, message: str) -> dict[str, str]:
    return {"field": path, "message": message}
