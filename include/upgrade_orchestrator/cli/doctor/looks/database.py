"""The orchestrator's own database: whether it can be used, its schema, and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from upgrade_orchestrator.cli.database import own_database, why_unusable
from upgrade_orchestrator.cli.doctor.finding import Finding, error, warning, well
from upgrade_orchestrator.cli.failure import CommandFailed
from upgrade_orchestrator.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

OLDEST_POSTGRES = 14
CLOCK_SECONDS = 2.0
"Clocks that differ by more mislead people who compare times; by much more, they make tokens invalid."


def look_at_database() -> Iterator[Finding]:
    """One connection answers for all three."""
    from sqlalchemy.exc import DBAPIError

    from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine

    conn_id = Settings.read().db_conn_id
    try:
        with sync_engine(own_database(conn_id)).connect() as connection:
            yield _server(conn_id, connection)
            yield _schema(connection)
            yield _clock(connection)
    except CommandFailed as failed:
        yield error("database", str(failed))
    except DBAPIError as failed:
        yield error("database", why_unusable(conn_id, failed))


def _server(conn_id: str, connection: Connection) -> Finding:
    from airflow.configuration import conf
    from sqlalchemy import make_url, text

    major = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    said = f"the Airflow connection {conn_id} leads to PostgreSQL {major}"
    if major < OLDEST_POSTGRES:
        return error("database", said, f"use {OLDEST_POSTGRES} or newer")
    own, airflows = connection.engine.url, make_url(conf.get("database", "sql_alchemy_conn"))
    if (own.host, own.port or 5432, own.database) == (airflows.host, airflows.port or 5432, airflows.database):
        return warning("database", f"{said}, and is Airflow's own", "give the orchestrator a database of its own")
    return well("database", said)


def _schema(connection: Connection) -> Finding:
    from upgrade_orchestrator.adapters.postgres.migrate import newest_schema, schema_of

    found, newest = schema_of(connection), newest_schema()
    if found == newest:
        return well("schema", f"{newest} is the newest")
    if found is None or found < newest:
        return error("schema", f"{found or 'none'} instead of {newest}", "run: airflow upgrades setup")
    return error("schema", f"{found} is newer than {newest} here", "install the same version on every machine")


def _clock(connection: Connection) -> Finding:
    from sqlalchemy import text

    before = time.time()
    theirs = float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    apart = theirs - (before + time.time()) / 2
    if abs(apart) > CLOCK_SECONDS:
        return warning("clock", f"the database's is {apart:+.1f} s from this machine's", "synchronize both (NTP)")
    return well("clock", f"this machine's and the database's agree within {CLOCK_SECONDS:g} s")
