"""The registry's pages: the list of components, and one with paths of every kind."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary, LastUpgrade
from upgrade_orchestrator.service.views.components import ComponentDetail
from upgrade_orchestrator.service.views.fleet_look import FleetLook
from upgrade_orchestrator.web.view.registry.components import ComponentQuery, ComponentsQuery, page_values

KAFKA = Component(id="kafka", name="Apache Kafka", description="the message broker")
POSTGRES = Component(id="postgresql", name="PostgreSQL", description="the database of the shops")
STATELESS = Component(id="edge-proxy", name="Edge proxy", backup_required=False)
_OLD, _LAST, _NOW, _NEXT, _DRAFT = (f"v-{each}" for each in ("3.5.2", "3.6.0", "3.7.0", "3.9.1", "4.0.0"))


def component() -> Mapping[str, Any]:
    """A component with everything in it."""
    running, last = {_OLD: 1, _LAST: 2}, {each.tenant_id: each for each in _last_upgrades()}
    detail = ComponentDetail(
        KAFKA, Scheme.PEP440, _versions(), _paths(), _deployments(), running, last, _backups(), NOW
    )
    more = {"limited": False, "operable": None, "max_age": timedelta(days=1)}
    return page_values(detail, ComponentQuery()) | more


def empty_component() -> Mapping[str, Any]:
    """A component of which nothing is registered yet."""
    detail = ComponentDetail(STATELESS, Scheme.TEXT, [], [], [], {}, {}, [], NOW)
    more = {"limited": True, "operable": set(), "max_age": timedelta(days=1)}
    return page_values(detail, ComponentQuery()) | more


def components(*rows: ComponentSummary, text: str | None = None) -> Mapping[str, Any]:
    """The list of components."""
    return {"rows": rows, "asked": ComponentsQuery(text=text), "more": "?cursor=x" if rows else None}


def _of(identifier: str, **fields: Any) -> ComponentVersion:
    return ComponentVersion(id=identifier, component_id="kafka", version=identifier.removeprefix("v-"), **fields)


def _versions() -> list[ComponentVersion]:
    return [
        _of(_DRAFT, status=VersionStatus.DRAFT),
        _of(_NEXT, release_date=date(2031, 5, 2), min_platform_version="3.0", notes="metadata.version afterwards"),
        _of(_NOW, recommended=True, dependencies={"postgresql": ">=15,<18", "zookeeper": ">=3.8"}),
        _of(_LAST, release_date=date(2030, 10, 10), lts=True, notes="the last one with ZooKeeper in production"),
        _of(_OLD, status=VersionStatus.DEPRECATED, end_of_life_date=date(2031, 5, 1)),
    ]


def _path(source: str, target: str, **fields: Any) -> UpgradePath:
    name = f"p-{source}-{target}".replace("v-", "").replace(".", "")
    return UpgradePath(id=name, component_id="kafka", from_version_id=source, to_version_id=target, **fields)


def _paths() -> list[UpgradePath]:
    steps = {"pre_upgrade_steps": ("check the lag", "tell the teams"), "rollback_steps": ("restore the metadata",)}
    return [
        _path(_OLD, _LAST, tested=True, estimated_duration_minutes=20),
        _path(_LAST, _NOW, tested=True, estimated_duration_minutes=25, **steps),
        _path(_NOW, _LAST, tested=True),
        _path(_LAST, _NEXT, blockers=("message format 0.10 has to be raised on 3.7 first",)),
        _path(_NOW, _NEXT, tested=True, requires_downtime=True, risk_level=RiskLevel.MEDIUM),
        _path(_NEXT, _DRAFT, risk_level=RiskLevel.HIGH, notes="KRaft only"),
    ]


def _deployments() -> list[Deployment]:
    mixed = {"3.6.0": 9, "3.7.0": 3}
    return [_deployment("acme", _LAST), _deployment("globex", _LAST, mixed), _deployment("initech", _OLD)]


def _deployment(tenant: str, version: str, mixed: Mapping[str, int] | None = None) -> Deployment:
    return Deployment(
        tenant_id=tenant,
        component_id="kafka",
        driver="agent",
        conn_id="fleets",
        fleet=f"{tenant}-kafka",
        current_version_id=version,
        mixed=mixed,
    )


def _last_upgrades() -> list[LastUpgrade]:
    running, failed = ExecutionStatus.IN_PROGRESS, ExecutionStatus.ROLLED_BACK
    return [
        LastUpgrade("acme", "e-1", running, "3.6.0", "3.7.0", NOW - timedelta(minutes=20)),
        LastUpgrade("globex", "e-2", failed, "3.6.0", "3.7.0", NOW - timedelta(days=2)),
    ]


def _backups() -> list[Backup]:
    return [_backup("acme-nightly", _LAST, 734003200, timedelta(hours=9)), _backup("old", _OLD, 12, timedelta(days=40))]


def _backup(name: str, version: str, size: int, age: timedelta) -> Backup:
    where = "s3://backups/a-rather-long-name-of-a-bucket/kafka/acme/2031-05-17T03:00:00Z/metadata-and-topics.tar.zst"
    return Backup(
        id=name,
        tenant_id="acme",
        component_id="kafka",
        version_id=version,
        location=where,
        size_bytes=size,
        sha256="0" * 64,
        created_at=NOW - age,
    )


_LIST = (
    ComponentSummary(KAFKA, versions=5, recommended="3.7.0", deployments=3, active=1),
    ComponentSummary(STATELESS, versions=0, recommended=None, deployments=0, active=0),
    ComponentSummary(POSTGRES, versions=12, recommended="16.4", deployments=1, active=0),
)
COMPONENTS: Mapping[str, tuple[str, str, Callable[[], Mapping[str, Any]]]] = {
    "components": ("components", "components.html", lambda: components(*_LIST)),
    "components-empty": ("components", "components.html", components),
    "components-no-match": ("components", "components.html", lambda: components(text="kafak")),
    "component": ("components/kafka", "component.html", component),
    "component-empty": ("components/edge-proxy", "component.html", empty_component),
    "fleet": (
        "tenants/acme/components/kafka/fleet",
        "component_fleet.html",
        lambda: {"look": FleetLook(12, 11, {"3.6.0": 9, "3.7.0": 3})},
    ),
    "fleet-away": (
        "tenants/acme/components/kafka/fleet",
        "component_fleet.html",
        lambda: {"look": FleetLook(problem="the agent does not answer (ConnectError)")},
    ),
}
"""Path, template and values of each page by its name."""
