"""Upgrade paths, routes and compatibility: parameters and representations (specification section 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from upgrade_orchestrator.domain.checks.compatibility import Dependency
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import Scheme, is_downgrade, upgrade_type
from upgrade_orchestrator.domain.routes.paths import Route
from upgrade_orchestrator.domain.routes.search import ClosedPath, MissingPath, Search
from upgrade_orchestrator.schemas.base import Id, Query, ResponseBody
from upgrade_orchestrator.service.checks.compatibility import CompatibilityVerdict
from upgrade_orchestrator.service.registry.upgrade_paths import Calculated, PathView


class CalculateQuery(Query):
    """The component and the two versions of a route."""

    component_id: Id
    from_version_id: Id
    to_version_id: Id


class VersionPairResponse(ResponseBody):
    """Two versions; ``upgradeType`` is PATCH, MINOR or MAJOR, null for versions that cannot be compared."""

    from_version_id: str = Field(examples=["bbb-222"])
    to_version_id: str = Field(examples=["ccc-333"])
    from_version: str = Field(examples=["3.6.0"])
    to_version: str = Field(examples=["3.7.0"])
    upgrade_type: str | None = Field(examples=["MINOR"])
    downgrade: bool


class PathResponse(VersionPairResponse):
    """An upgrade path."""

    id: str = Field(examples=["path-1"])
    component_id: str = Field(examples=["aaa-111"])
    requires_downtime: bool
    risk_level: str = Field(examples=["MEDIUM"])
    tested: bool = Field(examples=[True])
    estimated_duration_minutes: int | None = Field(examples=[20])
    pre_upgrade_steps: list[str]
    upgrade_steps: list[str]
    post_upgrade_steps: list[str]
    rollback_steps: list[str]
    validation_steps: list[str]
    blockers: list[str]
    notes: str | None

    @classmethod
    def of(cls, view: PathView) -> PathResponse:
        """The response body for the path."""
        path, pair = view.path, _version_pair(view.scheme, view.source, view.target)
        return cls(**{name: getattr(path, name) for name in cls.model_fields if hasattr(path, name)} | pair)


class ClosedPathResponse(VersionPairResponse):
    """A path that would be useful but is closed now."""

    id: str = Field(examples=["path-2"])
    reasons: list[str] = Field(examples=[["the target is DEPRECATED"]])


class TotalsResponse(ResponseBody):
    """The totals of a route: the highest risk, the sum of durations (null if one is unknown)."""

    steps: int = Field(examples=[1])
    risk_level: str = Field(examples=["MEDIUM"])
    requires_downtime: bool
    tested: bool = Field(examples=[True])
    estimated_duration_minutes: int | None = Field(examples=[20])


class RouteResponse(ResponseBody):
    """Paths one after the other, each a separate upgrade."""

    steps: list[PathResponse]
    totals: TotalsResponse


class CalculatedResponse(VersionPairResponse):
    """The best route and alternatives, best first; if there is none, the reachable versions and the missing paths.

    ``blockers`` are those of the target version itself.
    """

    component_id: str = Field(examples=["aaa-111"])
    found: bool = Field(examples=[True])
    steps: list[PathResponse]
    totals: TotalsResponse | None
    alternatives: list[RouteResponse] = Field(examples=[[]])
    closed_paths: list[ClosedPathResponse] = Field(examples=[[]])
    missing_edges: list[VersionPairResponse] = Field(examples=[[]])
    reachable_from_source: list[str]
    leading_to_target: list[str]
    blockers: list[str]

    @classmethod
    def of(cls, calculated: Calculated) -> CalculatedResponse:
        """The response body for the calculated routes."""
        search, result = calculated.search, calculated.result
        routes = [_route(search, each) for each in result.routes]
        best = routes[0] if routes else None
        return cls(
            **_version_pair(search.scheme, search.source, search.target),
            component_id=search.source.component_id,
            found=best is not None,
            steps=best.steps if best else [],
            totals=best.totals if best else None,
            alternatives=routes[1:],
            closed_paths=[_closed(search, each) for each in result.closed],
            missing_edges=[_missing(search, each) for each in result.missing],
            reachable_from_source=list(result.reachable),
            leading_to_target=list(result.leading),
            blockers=list(result.blockers),
        )


class DependencyResponse(ResponseBody):
    """A dependency; ``problem`` is null if it is satisfied."""

    name: str = Field(examples=["postgresql"])
    wanted_range: str = Field(examples=[">=15,<18"])
    found_version: str | None = Field(examples=["16.1"])
    satisfied: bool = Field(examples=[True])
    problem: str | None


class CompatibilityResponse(ResponseBody):
    """Whether upgrading to the version is allowed; ``path`` is the one from fromVersionId, null if there is none."""

    version_id: str = Field(examples=["ccc-333"])
    component_id: str = Field(examples=["aaa-111"])
    version: str = Field(examples=["3.7.0"])
    platform_version: str | None = Field(examples=["3.3.2"])
    compatible: bool = Field(examples=[True])
    blockers: list[str]
    warnings: list[str]
    dependencies: list[DependencyResponse]
    path: PathResponse | None

    @classmethod
    def of(cls, verdict: CompatibilityVerdict) -> CompatibilityResponse:
        """The response body for the findings."""
        version, findings = verdict.version, verdict.findings
        return cls(
            version_id=version.id,
            component_id=version.component_id,
            version=version.version,
            platform_version=verdict.platform_version,
            compatible=not findings.blockers,
            blockers=list(findings.blockers),
            warnings=list(findings.warnings),
            dependencies=[_dependency(each) for each in verdict.dependencies],
            path=PathResponse.of(verdict.path) if verdict.path else None,
        )


def _version_pair(scheme: Scheme, source: ComponentVersion, target: ComponentVersion) -> dict[str, Any]:
    return {
        "from_version_id": source.id,
        "to_version_id": target.id,
        "from_version": source.version,
        "to_version": target.version,
        "upgrade_type": upgrade_type(scheme, source.version, target.version),
        "downgrade": is_downgrade(scheme, source.version, target.version),
    }


def _ends(search: Search, path: UpgradePath) -> tuple[ComponentVersion, ComponentVersion]:
    return search.versions[path.from_version_id], search.versions[path.to_version_id]


def _route(search: Search, route: Route) -> RouteResponse:
    return RouteResponse(
        steps=[PathResponse.of(PathView(path, *_ends(search, path), search.scheme)) for path in route.paths],
        totals=TotalsResponse(
            steps=len(route.paths),
            risk_level=route.risk_level,
            requires_downtime=route.requires_downtime,
            tested=_all_tested(route.paths),
            estimated_duration_minutes=route.estimated_duration_minutes,
        ),
    )


def _all_tested(paths: Iterable[UpgradePath]) -> bool:
    return all(path.tested for path in paths)


def _closed(search: Search, closed: ClosedPath) -> ClosedPathResponse:
    pair = _version_pair(search.scheme, *_ends(search, closed.path))
    return ClosedPathResponse(**pair, id=closed.path.id, reasons=list(closed.reasons))


def _missing(search: Search, jump: MissingPath) -> VersionPairResponse:
    return VersionPairResponse(**_version_pair(search.scheme, jump.source, jump.target))


def _dependency(found: Dependency) -> DependencyResponse:
    return DependencyResponse(
        name=found.name,
        wanted_range=found.wanted,
        found_version=found.found,
        satisfied=found.problem is None,
        problem=found.problem,
    )
