"""The changes that a registry file makes, or the problems that prevent them (specification section 1).

The file is read as a whole: its entries may refer to each other and to registered entries, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    RiskLevel,
    UpgradePath,
)
from upgrade_orchestrator.domain.registry.rules import Problem, risk_of, version_problems, version_warnings
from upgrade_orchestrator.domain.registry.schemes import Scheme, scheme_of

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry and its location in the file, such as ``versions[2]``; ``without_risk``: a path without a riskLevel."""

    path: str
    value: RegistryEntry
    without_risk: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """The entries to write, parents first, and the number of entries that are registered with the same content."""

    created: tuple[RegistryEntry, ...]
    changed: tuple[RegistryEntry, ...]
    unchanged: int


def key_of(value: RegistryEntry) -> Key:
    """The key of an entry, unique across all kinds."""
    own = (value.tenant_id, value.component_id) if isinstance(value, Deployment) else (value.id,)
    return (type(value).__name__, *own)


def not_registered(registered: Sequence[RegistryEntry], entries: Sequence[Entry]) -> list[Entry]:
    """The entries whose key is not registered."""
    before = {key_of(each) for each in registered}
    return [each for each in entries if key_of(each.value) not in before]


def merge(registered: Sequence[RegistryEntry], entries: Sequence[Entry], *, reset_current: bool = False) -> Merge:
    """The changes that ``entries``, parents first, make; only valid when ``problems_of`` finds no problem.

    A registered deployment keeps the version that it runs by now, unless ``reset_current``.
    """
    before = {key_of(each): each for each in registered}
    if not reset_current:
        entries = [replace(each, value=as_it_runs(each.value, before.get(key_of(each.value)))) for each in entries]
    merged = before | {key_of(each.value): each.value for each in entries}
    schemes = _Schemes(merged)
    wanted = {key_of(each.value): _completed(each, before, merged, schemes) for each in entries}
    unchanged = sum(before.get(key) == each for key, each in wanted.items())
    written = {key: each for key, each in wanted.items() if before.get(key) != each}
    written |= _not_recommended_any_more(wanted, before)
    created = tuple(each for key, each in written.items() if key not in before)
    return Merge(created, tuple(each for key, each in written.items() if key in before), unchanged)


def _completed(
    entry: Entry, before: dict[Key, RegistryEntry], merged: dict[Key, RegistryEntry], schemes: _Schemes
) -> RegistryEntry:
    """The entry with omitted values filled in: a path's risk by its type."""
    value = entry.value
    if isinstance(value, UpgradePath) and entry.without_risk:
        source, target = (_version(merged, each) for each in (value.from_version_id, value.to_version_id))
        scheme = schemes[value.component_id]
        return replace(value, risk_level=risk_of(scheme, source, target) if source and target else RiskLevel.HIGH)
    return value


def as_it_runs(value: RegistryEntry, known: RegistryEntry | None) -> RegistryEntry:
    """A deployment with the version that it runs by now: upgrades have changed it since the file was written."""
    if isinstance(value, Deployment) and isinstance(known, Deployment):
        return replace(value, current_version_id=known.current_version_id, mixed=known.mixed)
    return value


def kept_versions(registered: Sequence[RegistryEntry], entries: Sequence[Entry]) -> list[Problem]:
    """The deployments that stay at another version than the file says, each with what would change that."""
    before = {key_of(each): each for each in registered}
    pairs = ((entry, before.get(key_of(entry.value))) for entry in entries)
    return [
        Problem(f"{entry.path}.currentVersionId", _kept(entry.value, known))
        for entry, known in pairs
        if isinstance(entry.value, Deployment) and isinstance(known, Deployment)
        if entry.value.current_version_id != known.current_version_id
    ]


def _kept(given: Deployment, known: Deployment) -> str:
    stays = f"the deployment stays at {known.current_version_id}, which it has run since it was made or upgraded"
    return f"{stays}; --reset-current sets {given.current_version_id}"


class _Schemes(dict[str, Scheme]):
    """The scheme of each component, found out when it is first asked for."""

    def __init__(self, merged: Mapping[Key, RegistryEntry]) -> None:
        super().__init__()
        self._merged = merged

    def __missing__(self, component_id: str) -> Scheme:
        component = self._merged.get(("Component", component_id))
        declared = component.version_scheme if isinstance(component, Component) else Scheme.AUTO
        versions = (each for each in self._merged.values() if isinstance(each, ComponentVersion))
        self[component_id] = scheme_of(
            declared, (each.version for each in versions if each.component_id == component_id)
        )
        return self[component_id]


def _not_recommended_any_more(
    wanted: dict[Key, RegistryEntry], before: dict[Key, RegistryEntry]
) -> dict[Key, RegistryEntry]:
    """The registered versions that lose the recommendation to a version of the file."""
    chosen = {each.component_id for each in wanted.values() if isinstance(each, ComponentVersion) and each.recommended}
    return {
        key: replace(each, recommended=False)
        for key, each in before.items()
        if isinstance(each, ComponentVersion) and each.recommended and each.component_id in chosen and key not in wanted
    }


def problems_of(registered: Sequence[RegistryEntry], entries: Sequence[Entry]) -> list[Problem]:
    """All contradictions within the file or with the registry; fields such as ``versions[2].componentId``."""
    before = {key_of(each): each for each in registered}
    merged = before | {key_of(each.value): each.value for each in entries}
    found = [*_duplicates(before, entries)]
    for entry in entries:
        own = [*_references(entry.value, merged), *_changed_owner(entry.value, before)]
        if isinstance(entry.value, ComponentVersion):
            own += version_problems(entry.value)
        found += [Problem(f"{entry.path}.{each.field}", each.message) for each in own]
    return found


def warnings_of(entries: Sequence[Entry]) -> list[Problem]:
    """What may be meant in another way; fields as in ``problems_of``."""
    versions = ((entry.path, entry.value) for entry in entries)
    return [
        Problem(f"{path}.{each.field}", each.message)
        for path, value in versions
        if isinstance(value, ComponentVersion)
        for each in version_warnings(value)
    ]


def _references(value: RegistryEntry, merged: dict[Key, RegistryEntry]) -> Iterator[Problem]:
    if isinstance(value, Component):
        return
    if ("Component", value.component_id) not in merged:
        yield Problem("componentId", f"there is no component {value.component_id}, neither here nor registered")
    for field, version_id in _versions_of(value):
        version = _version(merged, version_id)
        if version is None:
            yield Problem(field, f"there is no version {version_id}, neither here nor registered")
        elif version.component_id != value.component_id:
            yield Problem(field, f"version {version_id} is one of component {version.component_id}")


def _versions_of(value: RegistryEntry) -> Sequence[tuple[str, str]]:
    match value:
        case UpgradePath():
            return ("fromVersionId", value.from_version_id), ("toVersionId", value.to_version_id)
        case Deployment():
            return (("currentVersionId", value.current_version_id),)
        case Backup():
            return (("versionId", value.version_id),)
    return ()


def _version(merged: dict[Key, RegistryEntry], version_id: str) -> ComponentVersion | None:
    found = merged.get(("ComponentVersion", version_id))
    return found if isinstance(found, ComponentVersion) else None


def _changed_owner(value: RegistryEntry, before: dict[Key, RegistryEntry]) -> Iterator[Problem]:
    """An id cannot move to another component or tenant, because other entries may refer to it."""
    known = before.get(key_of(value))
    for field, name in (("componentId", "component_id"), ("tenantId", "tenant_id")):
        was = getattr(known, name, None)
        if was is not None and was != getattr(value, name):
            yield Problem(field, f"the id is registered for {was} and stays there; give another id")


_Named = Callable[[RegistryEntry], Key | None]


def _text(value: RegistryEntry) -> Key | None:
    return (value.component_id, value.version) if isinstance(value, ComponentVersion) else None


def _ends(value: RegistryEntry) -> Key | None:
    return (value.from_version_id, value.to_version_id) if isinstance(value, UpgradePath) else None


def _recommendation(value: RegistryEntry) -> Key | None:
    return (value.component_id,) if isinstance(value, ComponentVersion) and value.recommended else None


def _fleet(value: RegistryEntry) -> Key | None:
    return (value.conn_id, value.fleet) if isinstance(value, Deployment) else None


_UNIQUE: tuple[tuple[str, _Named, str], ...] = (
    ("id", key_of, "the same is named at"),
    ("version", _text, "the component has this version already at"),
    ("toVersionId", _ends, "there is a path between these two versions already at"),
    ("fleet", _fleet, "the fleet belongs to a deployment already, at"),
    ("recommended", _recommendation, "the component has a recommended version already at"),
)


def _duplicates(before: dict[Key, RegistryEntry], entries: Sequence[Entry]) -> Iterable[Problem]:
    """Values that must be unique and occur twice, within the file or together with registered entries."""
    named = {key_of(each.value) for each in entries}
    others = [
        Entry(f"the registered {'/'.join(key[1:])}", each)
        for key, each in before.items()
        if key not in named and isinstance(each, ComponentVersion | UpgradePath | Deployment)
    ]
    for field, unique, message in _UNIQUE:
        known = others if field in ("version", "toVersionId", "fleet") else ()
        first = {value: each.path for each in known if (value := unique(each.value)) is not None}
        for entry in entries:
            value = unique(entry.value)
            if value is not None and first.setdefault(value, entry.path) != entry.path:
                name = "tenantId" if field == "id" and isinstance(entry.value, Deployment) else field
                yield Problem(f"{entry.path}.{name}", f"{message} {first[value]}")
