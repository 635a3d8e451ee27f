"""Addresses and secrets from Airflow connections; none is ever taken from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL

from upgrade_orchestrator.service.ports.fleet import FleetError


@dataclass(frozen=True, slots=True)
class FleetAddress:
    """Where an agent is: base URL without a slash at the end, bearer token, and whether its certificate is checked."""

    base_url: str
    token: str
    verify: bool


_resolved: dict[str, str] = {}
"What the dag file has looked up in this process: the task that runs in it need not ask again."


def database_url(conn_id: str) -> str:
    """The database's URL, for code without an event loop (dag files, set-up)."""
    from airflow.sdk import BaseHook

    _resolved[conn_id] = _database_url(BaseHook.get_connection(conn_id))
    return _resolved[conn_id]


async def async_database_url(conn_id: str) -> str:
    """The same in an event loop (triggers, tasks, API server), which must not be blocked."""
    from airflow.sdk import BaseHook

    if conn_id in _resolved:
        return _resolved[conn_id]
    return _database_url(await BaseHook.aget_connection(conn_id))


def _database_url(connection: Any) -> str:
    url = URL.create(
        "postgresql+psycopg",
        connection.login,
        connection.password,
        connection.host,
        connection.port,
        connection.schema,
        {name: str(value) for name, value in connection.extra_dejson.items()},
    )
    return url.render_as_string(hide_password=False)


async def fleet_address(conn_id: str) -> FleetAddress:
    """The address behind an Airflow connection of type ``http``.

    :raises FleetError: when there is no such connection.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException

    try:
        connection = await BaseHook.aget_connection(conn_id)
    except AirflowException as error:
        raise FleetError(f"the Airflow connection {conn_id} is not defined") from error
    host = connection.host or ""
    base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    if connection.port:
        base = f"{base}:{connection.port}"
    verify = bool(connection.extra_dejson.get("verify", True))
    return FleetAddress(base.rstrip("/"), connection.password or "", verify)
