"""One line says what to do when the orchestrator's database cannot be used; no secret is in it."""

import pytest
from sqlalchemy.exc import OperationalError

from upgrade_orchestrator.cli.database import add_command, why_unusable

SERVER = 'connection failed: connection to server at "db", port 5432 failed: '


class Said(Exception):
    sqlstate: str | None = None


@pytest.mark.parametrize(
    ("said", "state", "todo"),
    [
        (f'{SERVER}FATAL:  password authentication failed for user "u"', None, "correct login and password in"),
        (f"{SERVER}fe_sendauth: no password supplied", None, "correct login and password in"),
        (f'{SERVER}FATAL:  no pg_hba.conf entry for host "10.0.0.1"', None, "let the server admit them"),
        (f'{SERVER}FATAL:  database "upgrades" does not exist', None, "create it (CREATE DATABASE …)"),
        (f"{SERVER}Connection refused\n\tIs the server running on that host?", None, "correct host and port in"),
        ("connection timeout expired", None, "correct host and port in"),
        ("failed to resolve host 'db': [Errno -2] Name or service not known", None, "correct host and port in"),
        (f"{SERVER}server does not support SSL, but SSL was required", None, "correct sslmode and its files"),
        ("permission denied for schema public\nLINE 2: CREATE TABLE", "42501", "let the login own its database"),
        ('relation "component" does not exist\nLINE 1: SELECT', "42P01", "run: airflow upgrades setup"),
        ("something else", None, "correct the Airflow connection upgrades_db, or the database"),
    ],
)
def test_error_of_the_database_is_one_line_with_what_to_do(said: str, state: str | None, todo: str) -> None:
    cause = Said(said)
    cause.sqlstate = state
    line = why_unusable("upgrades_db", OperationalError("SELECT :p", {"p": "secret"}, cause))
    assert line.startswith("the database of the Airflow connection upgrades_db cannot be used: ")
    assert todo in line
    assert "\n" not in line
    assert "secret" not in line


def test_connection_of_the_environment_is_corrected_there(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = OperationalError("", {}, Said("Connection refused"))
    assert why_unusable("upgrades_db", refused).endswith("host and port in the Airflow connection upgrades_db")
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", "postgres://u:secret@db/x")
    assert why_unusable("upgrades_db", refused).endswith("host and port in AIRFLOW_CONN_UPGRADES_DB")


def test_command_that_adds_the_connection_is_that_of_the_guide() -> None:
    from tests.unit.docs.pages import page

    (typed,) = (
        line for line in page("adopt.md").splitlines() if line.startswith("airflow connections add upgrades_db")
    )
    assert [each for each in typed.split() if each.startswith("--")] == [
        each for each in add_command("upgrades_db").split() if each.startswith("--")
    ]
