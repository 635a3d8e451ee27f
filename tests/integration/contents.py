"""The content of a database at a moment, restored as often as needed: far cheaper than a database for each test."""

from typing import Any

import psycopg
from psycopg import sql

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%alembic_version'"


class Contents:
    """Taken at its creation; ``connection`` is autocommit and a superuser's."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        tables = [sql.Identifier(row[0]) for row in connection.execute(_TABLES).fetchall()]
        connection.execute("CREATE SCHEMA kept")
        for table in tables:
            connection.execute(sql.SQL("CREATE TABLE kept.{table} AS TABLE {table}").format(table=table))
        self._deletes = [sql.SQL("DELETE FROM {}").format(table) for table in tables]
        self._inserts = [sql.SQL("INSERT INTO {table} TABLE kept.{table}").format(table=table) for table in tables]

    def undrain_left(self) -> None:
        """Restore every row, and remove any other."""
        self._execute([*self._deletes, *self._inserts])

    def clear(self) -> None:
        """Remove every row, until they are restored."""
        self._execute(self._deletes)

    def _execute(self, statements: list[sql.Composed]) -> None:
        in_any_order = sql.SQL("SET LOCAL session_replication_role = replica")  # foreign keys are not checked
        with self._connection.transaction():
            self._connection.execute(sql.SQL("; ").join([in_any_order, *statements]))
