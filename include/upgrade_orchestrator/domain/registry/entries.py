"""The component registry that plan and checks read (contract section 1, bodies of the registry calls)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class VersionStatus(StrEnum):
    """How far a version is in its life; only STABLE ones are upgraded to."""

    DRAFT = "DRAFT"
    STABLE = "STABLE"
    DEPRECATED = "DEPRECATED"
    EOL = "EOL"


class RiskLevel(StrEnum):
    """How risky a path is; by default from the upgrade's type."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Something that is upgraded: Kafka, PostgreSQL, an own service."""

    id: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVersion:
    """A version of a component; ``version`` is what the fleet is told, ``dependencies`` maps names to ranges."""

    id: str
    component_id: str
    version: str
    status: VersionStatus = VersionStatus.STABLE
    release_date: date | None = None
    end_of_life_date: date | None = None
    min_platform_version: str | None = None
    max_platform_version: str | None = None
    recommended: bool = False
    lts: bool = False
    dependencies: Mapping[str, str] = field(default_factory=dict)
    notes: str | None = None

    def is_past_end_of_life(self, today: date) -> bool:
        """True from the day of its end of life on, whatever its status says."""
        return self.end_of_life_date is not None and self.end_of_life_date <= today

    def effective_status(self, today: date) -> VersionStatus:
        """Its status; EOL once its end of life is past."""
        return VersionStatus.EOL if self.is_past_end_of_life(today) else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradePath:
    """A known way between two versions; with blockers it is known and closed."""

    id: str
    component_id: str
    from_version_id: str
    to_version_id: str
    requires_downtime: bool = False
    risk_level: RiskLevel = RiskLevel.LOW
    tested: bool = False
    estimated_duration_minutes: int | None = None
    pre_upgrade_steps: tuple[str, ...] = ()
    upgrade_steps: tuple[str, ...] = ()
    post_upgrade_steps: tuple[str, ...] = ()
    rollback_steps: tuple[str, ...] = ()
    validation_steps: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where a tenant's instances live and what they run.

    ``mixed`` counts instances per version after an upgrade that did not bring all of them to the current version.
    """

    tenant_id: str
    component_id: str
    driver: str
    conn_id: str
    fleet: str
    current_version_id: str
    mixed: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup known for rollback; ``size_bytes`` and ``sha256`` are checked against the object itself."""

    id: str
    tenant_id: str
    component_id: str
    version_id: str
    location: str
    size_bytes: int
    sha256: str
    created_at: datetime


RegistryEntry = Component | ComponentVersion | UpgradePath | Deployment | Backup
"""Whatever the registry keeps."""
