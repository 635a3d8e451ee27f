"""Bodies of the registry calls (contract section 1): in, and as they are read."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from upgrade_orchestrator.adapters.fleet.drivers import DRIVERS
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, VersionStatus
from upgrade_orchestrator.domain.registry.versions import Version
from upgrade_orchestrator.schemas.base import (
    BIGGEST,
    Answer,
    Body,
    DateIn,
    Id,
    Installed,
    MapSize,
    Name,
    Text,
    Texts,
    Time,
    TimeIn,
    VersionText,
    Whole,
)

Ranges = Annotated[dict[Name, Annotated[str, StringConstraints(min_length=1, max_length=255)]], MapSize]
ConnId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,250}$")]
FleetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
Location = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*://[^\x00-\x20\x7f]{1,2000}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")]


class ComponentBody(Body):
    """POST /components."""

    id: Id | None = None
    name: Name
    description: Text | None = None


class VersionBody(Body):
    """POST /components/{cid}/versions; service.registry checks that versions and ranges parse."""

    id: Id | None = None
    version: VersionText
    status: VersionStatus = VersionStatus.STABLE
    release_date: DateIn | None = None
    end_of_life_date: DateIn | None = None
    min_platform_version: VersionText | None = None
    max_platform_version: VersionText | None = None
    recommended: bool = False
    lts: bool = False
    dependencies: Ranges = {}
    notes: Text | None = None


class StatusBody(Body):
    """PUT /versions/{vid}/status; a date that is left out stays as it is."""

    status: VersionStatus
    release_date: DateIn | None = None
    end_of_life_date: DateIn | None = None


class CompatibilityBody(Body):
    """POST /versions/{vid}/check-compatibility; the platform left out is the one that is set (docs/adopt.md)."""

    installed_components: Installed | None = None
    platform_version: VersionText | None = None
    from_version_id: Id | None = None
    strategy: Strategy | None = None

    @field_validator("platform_version")
    @classmethod
    def _parses(cls, value: str | None) -> str | None:
        if value is not None:
            Version.parse(value)
        return value


class PathBody(Body):
    """POST /upgrade-paths; ``riskLevel`` left out follows from the upgrade's type."""

    id: Id | None = None
    component_id: Id
    from_version_id: Id
    to_version_id: Id
    requires_downtime: bool = False
    risk_level: RiskLevel | None = None
    tested: bool = False
    estimated_duration_minutes: Annotated[int, Field(ge=1, le=525_600), Whole] | None = None
    pre_upgrade_steps: Texts = []
    upgrade_steps: Texts = []
    post_upgrade_steps: Texts = []
    rollback_steps: Texts = []
    validation_steps: Texts = []
    blockers: Texts = []
    notes: Text | None = None

    @field_validator("to_version_id")
    @classmethod
    def _differs(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("from_version_id"):
            raise ValueError("must differ from fromVersionId")
        return value


class DeploymentBody(Body):
    """PUT …/deployment."""

    driver: Annotated[str, Field(json_schema_extra={"enum": [*DRIVERS]})]
    conn_id: ConnId
    fleet: FleetName
    current_version_id: Id

    @field_validator("driver")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in DRIVERS:
            raise ValueError(f"should be one of: {', '.join(DRIVERS)}")
        return value


class BackupBody(Body):
    """POST …/backups."""

    id: Id | None = None
    version_id: Id
    location: Location
    size_bytes: Annotated[int, Field(ge=0, le=BIGGEST), Whole]
    sha256: Sha256
    created_at: TimeIn


BODIES = (ComponentBody, VersionBody, StatusBody, CompatibilityBody, PathBody, DeploymentBody, BackupBody)


class ComponentAnswer(Answer):
    """A component."""

    id: str
    name: str
    description: str | None


class VersionAnswer(Answer):
    """A version of a component; ``effectiveStatus`` is EOL once its end of life is past, else its status."""

    id: str
    component_id: str
    version: str
    status: str
    effective_status: str
    release_date: date | None
    end_of_life_date: date | None
    min_platform_version: str | None
    max_platform_version: str | None
    recommended: bool
    lts: bool
    dependencies: dict[str, str]
    notes: str | None

    @classmethod
    def of(cls, version: ComponentVersion, today: date) -> VersionAnswer:
        """The version as it is shown."""
        values = {each.name: getattr(version, each.name) for each in fields(version)}
        return cls(**values, effective_status=version.effective_status(today))


class DeploymentAnswer(Answer):
    """A deployment; ``mixed`` counts instances per version while not all run the current one, else null."""

    tenant_id: str
    component_id: str
    driver: str
    conn_id: str
    fleet: str
    current_version_id: str
    mixed: dict[str, int] | None


class BackupAnswer(Answer):
    """A backup."""

    id: str
    tenant_id: str
    component_id: str
    version_id: str
    location: str
    size_bytes: int
    sha256: str
    created_at: Time
