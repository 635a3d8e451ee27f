"""Migration 0009: leases belong to fleets, forward and back; the set-up keeps fleets apart where it can."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command

from local.postgres.server import Postgres
from tests.integration.store.test_migration_of_clocks import go_to
from upgrade_orchestrator.adapters.postgres.migrate import migrate

BEFORE = """
    INSERT INTO component (id, name) VALUES ('c', 'kafka');
    INSERT INTO component_version (id, component_id, version, status, recommended, lts, dependencies)
    VALUES ('v', 'c', '3.6', 'STABLE', false, false, '{}');
    INSERT INTO deployment (tenant_id, component_id, driver, conn_id, fleet, current_version_id)
    VALUES ('one', 'c', 'agent', 'a', 'alone', 'v'), ('two', 'c', 'agent', 'a', 'shared', 'v'),
        ('three', 'c', 'agent', 'a', 'shared', 'v'), ('four', 'c', 'agent', 'a', 'never', 'v');
    INSERT INTO lease (tenant_id, component_id, owner, token, expires_at)
    VALUES ('one', 'c', 'olga', 7, now() + interval '9 s'), ('two', 'c', '', 40, now()),
        ('three', 'c', 'otto', 3, now()), ('gone', 'c', '', 99, now());
"""
LEASES = "SELECT conn_id, fleet, owner, token FROM lease ORDER BY fleet"


@pytest.fixture
def url(postgres_server: Postgres) -> Iterator[str]:
    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE leases")
    yield postgres_server.url("leases")
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE leases WITH (FORCE)")


@pytest.fixture
def rows(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """A database of the version before, in which two deployments share a fleet."""
    go_to(url, "0007")
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute(BEFORE)
        yield connection


def test_migration_gives_a_fleet_the_highest_token_of_its_deployments(
    rows: "psycopg.Connection[Any]", url: str
) -> None:
    migrate(url)
    assert rows.execute(LEASES).fetchall() == [("a", "alone", "olga", 7), ("a", "shared", "", 40)]


# fault 54
def test_shared_fleet_is_named_at_each_set_up_until_its_deployments_are_apart(
    rows: "psycopg.Connection[Any]", url: str
) -> None:
    (left,) = migrate(url)
    assert left.startswith("fleet shared of connection a belongs to more than one deployment (three/c, two/c)")
    assert migrate(url) == [left]
    rows.execute("UPDATE deployment SET fleet = 'own' WHERE tenant_id = 'two'")
    assert migrate(url) == []
    with pytest.raises(psycopg.errors.UniqueViolation):
        rows.execute("UPDATE deployment SET fleet = 'shared' WHERE tenant_id = 'two'")


def test_migration_of_leases_is_reverted(rows: "psycopg.Connection[Any]", url: str) -> None:
    rows.execute("DELETE FROM deployment WHERE tenant_id = 'three'")
    assert migrate(url) == []
    go_to(url, "0007", command.downgrade)
    found = rows.execute("SELECT tenant_id, owner, token FROM lease ORDER BY tenant_id").fetchall()
    assert found == [("one", "olga", 7), ("two", "", 40)]
    assert migrate(url) == []
