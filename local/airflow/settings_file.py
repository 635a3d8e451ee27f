"""`airflow_settings.yaml`, the file in which an Astronomer project lists its connections, pools and variables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.errors import LocalError


@dataclass(frozen=True)
class Connection:
    """One connection; `extra` depends on Airflow's connection type."""

    name: str
    kind: str
    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    password: str | None
    extra: dict[str, Any]


@dataclass(frozen=True)
class Pool:
    """One pool and how many tasks may be in it at once."""

    name: str
    slots: int
    description: str


@dataclass(frozen=True)
class SettingsFile:
    """The content of the file. Entries without a name are the format's empty examples and are left out."""

    connections: tuple[Connection, ...]
    pools: tuple[Pool, ...]
    variables: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "SettingsFile":
        """Read the file.

        :raises LocalError: it is not YAML, or not of Astronomer's shape.
        """
        if not path.exists():
            return cls((), (), {})
        try:
            airflow = (yaml.safe_load(path.read_text()) or {}).get("airflow") or {}
            return cls(_connections(airflow), _pools(airflow), _variables(airflow))
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise LocalError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from None


def _entries(airflow: dict[str, Any], kind: str, name: str) -> list[dict[str, Any]]:
    return [entry for entry in airflow.get(kind) or [] if entry.get(name)]


def _connections(airflow: dict[str, Any]) -> tuple[Connection, ...]:
    return tuple(
        Connection(
            name=entry["conn_id"],
            kind=entry.get("conn_type") or "generic",
            host=entry.get("conn_host"),
            port=int(entry["conn_port"]) if entry.get("conn_port") else None,
            schema=entry.get("conn_schema"),
            login=entry.get("conn_login"),
            password=entry.get("conn_password"),
            extra=dict(entry.get("conn_extra") or {}),
        )
        for entry in _entries(airflow, "connections", "conn_id")
    )


def _pools(airflow: dict[str, Any]) -> tuple[Pool, ...]:
    return tuple(
        Pool(entry["pool_name"], int(entry["pool_slot"]), entry.get("pool_description") or "")
        for entry in _entries(airflow, "pools", "pool_name")
    )


def _variables(airflow: dict[str, Any]) -> dict[str, str]:
    return {
        entry["variable_name"]: str(entry["variable_value"])
        for entry in _entries(airflow, "variables", "variable_name")
    }
