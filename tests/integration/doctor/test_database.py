"""The doctor's look at the orchestrator's own database."""

import psycopg
import pytest
from sqlalchemy import make_url

from tests.integration.store.connections import connection_to
from upgrade_orchestrator.cli.doctor.looks.database import look_at_database


@pytest.fixture(autouse=True)
def defined(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))


def change(postgres_url: str, statement: str) -> None:
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_database_that_was_set_up_is_well() -> None:
    found = list(look_at_database())
    assert [(each.level, each.subject) for each in found] == [("ok", name) for name in ("database", "schema", "clock")]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE upgrades_alembic_version", "none instead of "),
        ("UPDATE upgrades_alembic_version SET version_num = '0001'", "0001 instead of "),
        ("UPDATE upgrades_alembic_version SET version_num = '9999'", "9999 is newer than "),
    ],
)
def test_schema_that_does_not_fit_the_code_is_an_error(statement: str, said: str, postgres_url: str) -> None:
    change(postgres_url, statement)
    _, schema, _ = look_at_database()
    assert str(schema).startswith(f"error    schema: {said}")


def test_database_that_is_airflows_own_is_a_warning(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", postgres_url)
    database, *_ = look_at_database()
    assert str(database).startswith("warning  database: ")


def test_database_that_does_not_answer_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", "postgres://u:secret@127.0.0.1:9/x")
    (database,) = look_at_database()
    assert str(database).startswith("error    database: the database of the Airflow connection upgrades_db")
    assert "secret" not in str(database)


def test_clock_that_is_apart_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time
    monkeypatch.setattr("upgrade_orchestrator.cli.doctor.looks.database.time.time", lambda: now() - 60)
    *_, clock = look_at_database()
    assert str(clock).startswith("warning  clock: the database's is +")
