"""The orchestrator's database for a command: its URL, and one line that says what to do where it cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from upgrade_orchestrator.cli.failure import CommandFailed

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

_VALUES = "--conn-host HOST --conn-port 5432 --conn-schema DATABASE --conn-login USER --conn-password PASSWORD"
_SET_UP = "run: airflow upgrades setup"


def own_database(conn_id: str) -> str:
    """The database's URL, from the Airflow connection ``conn_id``.

    :raises CommandFailed: there is no such connection, it cannot be read or is of another type; says what to type.
    """
    from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

    from upgrade_orchestrator.adapters.airflow.connections import database_url

    try:
        return database_url(conn_id)
    except AirflowNotFoundException:
        raise CommandFailed(_not_found(conn_id)) from None
    except ValueError as error:
        raise CommandFailed(f"{error}: {_change(conn_id)}") from None
    except AirflowException as error:
        raise CommandFailed(f"the Airflow connection {conn_id} cannot be read: {_first_line(error)}") from None


def why_unusable(conn_id: str, error: DBAPIError) -> str:
    """One line for an error of that database: what PostgreSQL or the driver says, and what to do about it."""
    said, state = _first_line(error.orig), getattr(error.orig, "sqlstate", None)
    todo = next((todo for fits, todo in _KNOWN if fits(said, state)), "correct {}, or the database")
    return f"the database of the Airflow connection {conn_id} cannot be used: {said}: {todo.format(_place(conn_id))}"


def add_command(conn_id: str) -> str:
    """The command that defines the connection, with words in capitals for what only its owner knows."""
    return f"airflow connections add {conn_id} --conn-type postgres {_VALUES}"


def _not_found(conn_id: str) -> str:
    """Airflow says so as well when its database is away, or when what is there cannot be decrypted."""
    name, configured = f"the Airflow connection {conn_id}", "run the command with the configuration of your Airflow"
    try:
        is_there = _is_in_airflow(conn_id)
    except Exception as error:  # SQLAlchemy, drivers and Airflow raise many types
        why = f"{name} is not found, and Airflow's own database cannot be read ({_first_line(error)})"
        return f"{why}: {configured} ([database] sql_alchemy_conn)"
    if is_there:
        return f"{name} is in Airflow's database, but cannot be decrypted: {configured} ([core] fernet_key)"
    return f"{name} is not defined: {add_command(conn_id)}"


def _is_in_airflow(conn_id: str) -> bool:
    from airflow.models.connection import Connection
    from sqlalchemy import select

    from upgrade_orchestrator.adapters.airflow.database import within_session

    query = select(Connection.id).where(Connection.conn_id == conn_id)
    return within_session(lambda session: session.scalar(query) is not None)


def _place(conn_id: str) -> str:
    """Where the connection is defined."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    return variable if variable in os.environ else f"the Airflow connection {conn_id}"


def _change(conn_id: str) -> str:
    place = _place(conn_id)
    if place.startswith("AIRFLOW_CONN_"):
        return f"correct {place}"
    return (
        f"correct it in Airflow (Admin, Connections), or: airflow connections delete {conn_id}; {add_command(conn_id)}"
    )


def _first_line(error: Any) -> str:
    """The first sentence of it; the lines that follow are hints, or a statement with its values."""
    orig = getattr(error, "orig", None) or error
    lines = str(orig).strip().splitlines()
    return lines[0].strip().rstrip(":.") if lines else type(orig).__name__


def _says(*texts: str) -> Callable[[str, str | None], bool]:
    return lambda said, _: any(text in said for text in texts)


def _is_state(*states: str) -> Callable[[str, str | None], bool]:
    return lambda _, state: state in states


_KNOWN: tuple[tuple[Callable[[str, str | None], bool], str], ...] = (
    (_says("password", "no pg_hba.conf entry"), "correct login and password in {}, or let the server admit them"),
    (_is_state("42P01", "42703"), _SET_UP),
    (_is_state("42501"), "let the login own its database (ALTER DATABASE … OWNER TO …), or correct it in {}"),
    (_says("does not exist"), "create it (CREATE DATABASE …), or correct schema and login in {}"),
    (_says("SSL", "certificate"), "correct sslmode and its files in the extra of {}"),
    (_says("refused", "resolve", "timeout", "timed out", "reach", "route"), "start it, or correct host and port in {}"),
)
