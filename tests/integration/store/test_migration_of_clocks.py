"""Migration 0007: what was under way goes on with the clocks that it had, forward and back."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg.rows import dict_row

from local.postgres.server import Postgres
from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine
from upgrade_orchestrator.adapters.postgres.migrate import alembic_config

INSTANCES = """
    INSERT INTO instance (execution_id, instance_id, batch, position, status, from_version, to_version, attempts,
        started_at, step_started_at, healthy_since, accepted_at, revert, revert_attempts)
    VALUES
    ('e', 'i-1', 1, 0, 'COMPLETED', '3.6', '3.7', 1, now() - interval '60 s', now() - interval '5 s', NULL, now(),
        'UPGRADING', 2),
    ('e', 'i-2', 1, 1, 'HEALTH_CHECKING', '3.6', '3.7', 1, now() - interval '50 s', now() - interval '9 s',
        now() - interval '4 s', NULL, NULL, 0),
    ('e', 'i-3', 1, 2, 'ROLLED_BACK', '3.5', '3.7', 1, now() - interval '70 s', NULL, NULL, NULL, 'COMPLETED', 1),
    ('e', 'i-4', 1, 3, 'PENDING', '3.6', '3.7', 0, NULL, NULL, NULL, NULL, NULL, 0)
"""
BATCHES = """
    INSERT INTO batch (execution_id, number, kind, completed_at, blocked_since, switched_at, soaked_at, due_at)
    VALUES ('e', 1, 'BATCH', NULL, now() - interval '7 s', NULL, NULL, NULL),
    ('e', 2, 'GREEN', now(), NULL, now() - interval '8 s', NULL, now() + interval '30 s'),
    ('e', 3, 'GREEN', now(), NULL, now() - interval '80 s', now() - interval '20 s', NULL)
"""


@pytest.fixture
def url(postgres_server: Postgres) -> Iterator[str]:
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE clocks")
    yield postgres_server.url("clocks")
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE clocks WITH (FORCE)")


def go_to(url: str, revision: str, way: Any = command.upgrade) -> None:
    config = alembic_config()
    with sync_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        way(config, revision)


@pytest.fixture
def rows(url: str, postgres_server: Postgres) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
    """The database after the migration; before it an upgrade was going back and two pools were soaking."""
    go_to(url, "0006")
    dsn = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
        connection.execute("ALTER TABLE instance DROP CONSTRAINT fk_instance_execution_id_execution")
        connection.execute("ALTER TABLE batch DROP CONSTRAINT fk_batch_execution_id_execution")
        connection.execute(INSTANCES)
        connection.execute(BATCHES)
        go_to_without_keys(url, connection)
        yield connection


def go_to_without_keys(url: str, connection: "psycopg.Connection[dict[str, Any]]") -> None:
    """The executions themselves are not there: their columns do not matter here."""
    connection.execute("ALTER DATABASE clocks SET session_replication_role = 'replica'")
    sync_engine(url).dispose()
    go_to(url, "head")


def found(connection: "psycopg.Connection[dict[str, Any]]", query: str) -> list[dict[str, Any]]:
    return connection.execute(query).fetchall()


def test_migration_keeps_the_watched_seconds_of_steps_and_soaks(rows: "psycopg.Connection[dict[str, Any]]") -> None:
    (checking,) = found(rows, "SELECT step_seconds, healthy_seconds FROM instance WHERE instance_id = 'i-2'")
    assert 9 <= checking["step_seconds"] < 60
    assert 4 <= checking["healthy_seconds"] < 60
    (untouched,) = found(rows, "SELECT step_seconds, healthy_seconds FROM instance WHERE instance_id = 'i-4'")
    assert untouched == {"step_seconds": 0, "healthy_seconds": None}


def test_migration_gives_a_rollback_under_way_rows_of_its_own(rows: "psycopg.Connection[dict[str, Any]]") -> None:
    back = found(rows, "SELECT * FROM rollback_instance ORDER BY position")
    assert [(each["instance_id"], each["status"], each["attempts"]) for each in back] == [
        ("i-1", "UPGRADING", 2),
        ("i-3", "COMPLETED", 1),
    ]
    assert [(each["batch"], each["from_version"], each["to_version"]) for each in back] == [
        (0, "3.7", "3.6"),
        (0, "3.7", "3.5"),
    ]
    assert back[0]["accepted_at"] is not None
    assert 5 <= back[0]["step_seconds"] < 60


def test_migration_keeps_the_progress_of_waits_and_pools(rows: "psycopg.Connection[dict[str, Any]]") -> None:
    waits, soaking, soaked = found(rows, "SELECT * FROM batch ORDER BY number")
    assert 7 <= waits["blocked_seconds"] < 60
    assert (waits["phase"], soaking["phase"], soaked["phase"]) == ("CHECK", "SOAK", "RETIRE")
    assert 8 <= soaking["soak_seconds"] < 60
    assert (soaking["healthy_seconds"], soaking["due_at"]) == (0, None)


def test_migration_is_reverted_with_an_upgrade_under_way(rows: "psycopg.Connection[dict[str, Any]]", url: str) -> None:
    go_to(url, "0006", command.downgrade)
    (back,) = found(rows, "SELECT revert, revert_attempts, accepted_at FROM instance WHERE instance_id = 'i-1'")
    assert (back["revert"], back["revert_attempts"], back["accepted_at"] is not None) == ("UPGRADING", 2, True)
    _, soaking, soaked = found(rows, "SELECT switched_at, soaked_at FROM batch ORDER BY number")
    assert [each["switched_at"] is not None for each in (soaking, soaked)] == [True, True]
    assert [each["soaked_at"] is not None for each in (soaking, soaked)] == [False, True]
