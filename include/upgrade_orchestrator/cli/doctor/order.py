"""All looks, in the order of their lines: what others depend on comes first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from upgrade_orchestrator.cli.doctor.looks.bundle import look_at_bundle, look_at_dag_files
from upgrade_orchestrator.cli.doctor.looks.components import look_at_components
from upgrade_orchestrator.cli.doctor.looks.database import look_at_database
from upgrade_orchestrator.cli.doctor.looks.fleets import look_at_fleets
from upgrade_orchestrator.cli.doctor.looks.kafka import look_at_kafka
from upgrade_orchestrator.cli.doctor.looks.roles import look_at_roles
from upgrade_orchestrator.cli.doctor.looks.scheduler import look_at_scheduler_settings
from upgrade_orchestrator.cli.doctor.looks.server import look_at_server
from upgrade_orchestrator.cli.doctor.looks.slots import look_at_slots
from upgrade_orchestrator.cli.doctor.timed import Look

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "database": look_at_database,
        "roles": look_at_roles,
        "bundle": look_at_bundle,
        "DAG files": look_at_dag_files,
        "components": look_at_components,
        "API server": look_at_server,
        "settings": look_at_scheduler_settings,
        "slots": look_at_slots,
        "events": look_at_kafka,
        "fleets": look_at_fleets,
    }
)
