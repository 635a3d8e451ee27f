"""The migrations create exactly the tables of tables.py, and can be reverted and applied again."""

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from local.postgres.server import Postgres
from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine
from upgrade_orchestrator.adapters.postgres.migrate import alembic_config, migrate
from upgrade_orchestrator.adapters.postgres.schema.tables import metadata

VERSION_TABLE = "upgrades_alembic_version"


@pytest.fixture
def empty_url(postgres_server: Postgres) -> Iterator[str]:
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE migrations")
    yield postgres_server.url("migrations")
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE migrations WITH (FORCE)")


def _tables(url: str) -> set[str]:
    with sync_engine(url).connect() as connection:
        return set(inspect(connection).get_table_names())


def _differences(connection: Connection) -> list[object]:
    options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def test_migrations_create_the_tables_of_the_schema(empty_url: str) -> None:
    migrate(empty_url)
    with sync_engine(empty_url).begin() as connection:
        assert _differences(connection) == []
        connection.execute(text("ALTER TABLE execution DROP COLUMN failure_phase"))
        assert len(_differences(connection)) == 1


def test_migrations_can_be_applied_reverted_and_applied_again(empty_url: str) -> None:
    migrate(empty_url)
    assert _tables(empty_url) == {*metadata.tables, VERSION_TABLE}
    config = alembic_config()
    with sync_engine(empty_url).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert _tables(empty_url) == {VERSION_TABLE}
    migrate(empty_url)
    migrate(empty_url)  # nothing left to do
    with sync_engine(empty_url).connect() as connection:
        assert _differences(connection) == []
        functions = "SELECT count(*) FROM pg_trigger WHERE tgname = 'event_notify'"
        assert connection.scalar(text(functions)) == 1
