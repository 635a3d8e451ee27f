"""Entries of the component registry in which no field has its default, so that a field that is lost shows."""

from datetime import date

from tests.unit.domain.builders import after
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)

VERSION = ComponentVersion(
    id="v-1",
    component_id="aaa-111",
    version="4.0.0",
    status=VersionStatus.DEPRECATED,
    release_date=date(2030, 1, 2),
    end_of_life_date=date(2031, 1, 2),
    min_platform_version="1.0",
    max_platform_version="2.0",
    recommended=True,
    lts=True,
    dependencies={"postgresql": ">=15,<18"},
    notes="n",
)
PATH = UpgradePath(
    id="p-1",
    component_id="aaa-111",
    from_version_id="bbb-222",
    to_version_id="ccc-333",
    requires_downtime=True,
    risk_level=RiskLevel.HIGH,
    tested=True,
    estimated_duration_minutes=7,
    pre_upgrade_steps=("a", "b"),
    upgrade_steps=("c",),
    post_upgrade_steps=("d",),
    rollback_steps=("e",),
    validation_steps=("f",),
    blockers=("g",),
    notes="n",
)
DEPLOYMENT = Deployment(
    tenant_id="t",
    component_id="aaa-111",
    driver="agent",
    conn_id="c",
    fleet="f",
    current_version_id="bbb-222",
    mixed={"3.6.0": 2, "3.7.0": 1},
)
BACKUP = Backup(
    id="b-1",
    tenant_id="t",
    component_id="aaa-111",
    version_id="bbb-222",
    location="file:///x",
    size_bytes=1 << 40,
    sha256="0" * 64,
    created_at=after(0),
)
