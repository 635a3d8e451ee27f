"""Request and response bodies of the registry's calls (specification section 1)."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from upgrade_orchestrator.adapters.fleet.drivers import DRIVERS
from upgrade_orchestrator.domain.checks.backups import BackupRules
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.registry.entries import Backup, ComponentVersion, RiskLevel, VersionStatus
from upgrade_orchestrator.domain.registry.rules import version_warnings
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.domain.registry.versions import Version
from upgrade_orchestrator.schemas.base import (
    BIGGEST,
    SOME_SHA256,
    Body,
    DateIn,
    Id,
    Installed,
    MapSize,
    Name,
    ResponseBody,
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

    id: Id | None = Field(None, examples=["aaa-111"])
    name: Name = Field(examples=["kafka"])
    description: Text | None = Field(None, examples=["the message broker"])
    version_scheme: Scheme = Field(Scheme.AUTO, description="How its versions are ordered; auto: as they look.")
    backup_required: bool = Field(True, description="False: it keeps no state, and is upgraded without a backup.")


class VersionBody(Body):
    """POST /components/{cid}/versions; service.registry checks that ranges parse."""

    id: Id | None = Field(None, examples=["ccc-333"])
    version: VersionText = Field(examples=["3.7.0"])
    status: VersionStatus = VersionStatus.STABLE
    release_date: DateIn | None = Field(None, examples=["2026-01-10"])
    end_of_life_date: DateIn | None = None
    min_platform_version: VersionText | None = Field(None, examples=["3.3.0"])
    max_platform_version: VersionText | None = None
    recommended: bool = Field(False, examples=[True])
    lts: bool = False
    dependencies: Ranges = Field({}, examples=[{"postgresql": ">=15,<18"}])
    notes: Text | None = None


class StatusBody(Body):
    """PUT /versions/{vid}/status; dates that are left out do not change."""

    status: VersionStatus = Field(examples=["DEPRECATED"])
    release_date: DateIn | None = None
    end_of_life_date: DateIn | None = Field(None, examples=["2026-12-31"])


class CompatibilityBody(Body):
    """POST /versions/{vid}/check-compatibility; the platform's default is the configured one (docs/adopt.md)."""

    installed_components: Installed | None = Field(None, examples=[{"postgresql": "16.1"}])
    platform_version: VersionText | None = None
    from_version_id: Id | None = Field(None, examples=["bbb-222"])
    strategy: Strategy | None = None

    @field_validator("platform_version")
    @classmethod
    def _parses(cls, value: str | None) -> str | None:
        if value is not None:
            Version.parse(value)
        return value


class PathBody(Body):
    """POST /upgrade-paths; without ``riskLevel``, it follows from the upgrade's type."""

    id: Id | None = Field(None, examples=["path-1"])
    component_id: Id = Field(examples=["aaa-111"])
    from_version_id: Id = Field(examples=["bbb-222"])
    to_version_id: Id = Field(examples=["ccc-333"])
    requires_downtime: bool = False
    risk_level: RiskLevel | None = Field(None, examples=["MEDIUM"])
    tested: bool = Field(False, examples=[True])
    estimated_duration_minutes: Annotated[int, Field(ge=1, le=525_600), Whole] | None = Field(None, examples=[20])
    pre_upgrade_steps: Texts = Field([], examples=[["stop the nightly jobs"]])
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
    conn_id: ConnId = Field(examples=["demo_fleet"])
    fleet: FleetName = Field(examples=["demo"])
    current_version_id: Id = Field(examples=["bbb-222"])

    @field_validator("driver")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in DRIVERS:
            raise ValueError(f"should be one of: {', '.join(DRIVERS)}")
        return value


class BackupBody(Body):
    """POST …/backups."""

    id: Id | None = Field(None, examples=["backup-1"])
    version_id: Id = Field(examples=["bbb-222"])
    location: Location = Field(examples=["file:///backups/kafka-3.6.0"])
    size_bytes: Annotated[int, Field(ge=0, le=BIGGEST), Whole] = Field(examples=[26000])
    sha256: Sha256 = Field(examples=[SOME_SHA256])
    created_at: TimeIn = Field(examples=["2026-01-31T03:00:00Z"])


BODIES = (ComponentBody, VersionBody, StatusBody, CompatibilityBody, PathBody, DeploymentBody, BackupBody)


class ComponentResponse(ResponseBody):
    """A registered component."""

    id: str = Field(examples=["aaa-111"])
    name: str = Field(examples=["kafka"])
    description: str | None = Field(examples=["the message broker"])
    version_scheme: str = Field(examples=["auto"])
    backup_required: bool = Field(examples=[True])


class VersionResponse(ResponseBody):
    """A version of a component; ``effectiveStatus`` is EOL after its end of life, otherwise its status.

    ``warnings`` name ranges that may be meant in another way.
    """

    id: str = Field(examples=["ccc-333"])
    component_id: str = Field(examples=["aaa-111"])
    version: str = Field(examples=["3.7.0"])
    status: str = Field(examples=["STABLE"])
    effective_status: str = Field(examples=["STABLE"])
    release_date: date | None = Field(examples=["2026-01-10"])
    end_of_life_date: date | None
    min_platform_version: str | None = Field(examples=["3.3.0"])
    max_platform_version: str | None
    recommended: bool = Field(examples=[True])
    lts: bool
    dependencies: dict[str, str] = Field(examples=[{"postgresql": ">=15,<18"}])
    notes: str | None
    warnings: list[str] = Field(examples=[[]])

    @classmethod
    def of(cls, version: ComponentVersion, today: date) -> VersionResponse:
        """The response body for the version."""
        values = {each.name: getattr(version, each.name) for each in fields(version)}
        warnings = [f"{each.field}: {each.message}" for each in version_warnings(version)]
        return cls(**values, effective_status=version.effective_status(today), warnings=warnings)


class DeploymentResponse(ResponseBody):
    """A deployment; ``mixed`` counts instances by version unless all run the current one, and is null otherwise."""

    tenant_id: str = Field(examples=["550e8400"])
    component_id: str = Field(examples=["aaa-111"])
    driver: str = Field(examples=["agent"])
    conn_id: str = Field(examples=["demo_fleet"])
    fleet: str = Field(examples=["demo"])
    current_version_id: str = Field(examples=["bbb-222"])
    mixed: dict[str, int] | None = Field(examples=[None])


class BackupResponse(ResponseBody):
    """A registered backup, with the size and checksum that are checked before an upgrade."""

    id: str = Field(examples=["backup-1"])
    tenant_id: str = Field(examples=["550e8400"])
    component_id: str = Field(examples=["aaa-111"])
    version_id: str = Field(examples=["bbb-222"])
    location: str = Field(examples=["file:///backups/kafka-3.6.0"])
    size_bytes: int = Field(examples=[26000])
    sha256: str = Field(examples=[SOME_SHA256])
    created_at: Time
    verification_limit_seconds: float = Field(examples=[60.0])

    @classmethod
    def of(cls, backup: Backup, rules: BackupRules) -> BackupResponse:
        """The response body; ``verificationLimitSeconds`` is the time limit for reading it, by its size."""
        values = {each.name: getattr(backup, each.name) for each in fields(backup)}
        return cls(**values, verification_limit_seconds=round(rules.limit_seconds(backup.size_bytes), 1))
