"""The entries of the component registry, which plan and checks read (specification section 1, registry calls)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from upgrade_orchestrator.domain.registry.schemes import Scheme


class VersionStatus(StrEnum):
    """The life cycle of a version; only STABLE versions are upgraded to."""

    DRAFT = "DRAFT"
    "In preparation: cannot be upgraded to yet."
    STABLE = "STABLE"
    "Released: may be upgraded to until its end-of-life date."
    DEPRECATED = "DEPRECATED"
    "Still in use, but only upgraded from."
    EOL = "EOL"
    "End of life: only upgraded from."


class RiskLevel(StrEnum):
    """The risk of a path; by default it follows from the type of the upgrade."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Something that is upgraded as a whole: Kafka, PostgreSQL, a service of your own."""

    id: str
    name: str
    description: str | None = None
    version_scheme: Scheme = Scheme.AUTO
    """How its versions are ordered."""
    backup_required: bool = True
    """Whether an upgrade needs a verified backup; false for a component that keeps no state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentVersion:
    """A version of a component; ``version`` is sent to the fleet, ``dependencies`` maps names to version ranges."""

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
        """True from the day of its end of life on, whatever its status."""
        return self.end_of_life_date is not None and self.end_of_life_date <= today

    def effective_status(self, today: date) -> VersionStatus:
        """Its status; EOL once its end of life is past."""
        return VersionStatus.EOL if self.is_past_end_of_life(today) else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradePath:
    """A registered upgrade from one version to another; with blockers it is closed."""

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
    """Where a tenant's instances of a component are, and which version they run.

    ``mixed`` has the number of instances by version while not all of them run the current version.
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
    """A registered backup; ``size_bytes`` and ``sha256`` are checked against the object at ``location``."""

    id: str
    tenant_id: str
    component_id: str
    version_id: str
    location: str
    size_bytes: int
    sha256: str
    created_at: datetime


RegistryEntry = Component | ComponentVersion | UpgradePath | Deployment | Backup
"""Any entry of the registry."""
