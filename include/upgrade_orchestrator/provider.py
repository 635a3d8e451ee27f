"""What a provider package declares to Airflow: its connection type, options and commands.

Every Airflow process reads this module at start, so it must stay light.
"""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

from upgrade_orchestrator.settings import SECTION, Settings

PACKAGE = "airflow-upgrade-orchestrator"
_TYPES = {"str": "string", "str | None": "string", "float": "float", "int": "integer", "bool": "boolean"}
_ADDED = "0.1.0"


def get_provider_info() -> dict[str, Any]:
    """The provider's description, by Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": PACKAGE,
        "name": "Upgrade Orchestrator",
        "description": "Upgrades a component across a tenant's instances, without an outage.",
        "connection-types": [_FLEET_AGENT],
        "cli": ["upgrade_orchestrator.cli.airflow_commands.commands"],
        "config": {SECTION: {"description": "The upgrade orchestrator.", "options": _options()}},
    }


def _options() -> dict[str, dict[str, Any]]:
    return {each.name: _option(each) for each in fields(Settings)}


def _option(setting: Field[Any]) -> dict[str, Any]:
    return {
        "description": setting.metadata["description"],
        "version_added": _ADDED,
        "type": _TYPES[str(setting.type)],
        "example": setting.metadata["example"],
        "default": None if setting.default is None else str(setting.default),
    }


def _field(label: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"]}}


_FLEET_AGENT: dict[str, Any] = {
    "connection-type": "upgrade_fleet_agent",
    "hook-class-name": "upgrade_orchestrator.adapters.fleet.hook.FleetAgentHook",
    "hook-name": "Upgrade fleet agent",
    "ui-field-behaviour": {
        "hidden-fields": ["login"],
        "relabeling": {"schema": "Scheme", "password": "Token"},
        "placeholders": {
            "host": "agent.example.com, or https://agent.example.com/base",
            "schema": "https",
            "port": "8090",
            "password": "sent as Authorization: Bearer; if empty, none is sent",
        },
    },
    "conn-fields": {
        "verify": _field(
            "Verify certificate",
            "Empty or true: by the system's authorities; false: not at all; otherwise the file of trusted authorities.",
        ),
        "cert": _field("Client certificate", "The PEM file of our own certificate, if the agent requires one."),
        "key": _field("Client key", "The PEM file of its key, unless it is in the same file."),
        "fleet": _field("Fleet to test with", "The fleet that the Test button reads; not used otherwise."),
    },
}
