"""`airflow upgrades setup`: output and exit code, with a real database and without one."""

import argparse
import json

import pytest

from tests.architecture.sources import ROOT
from tests.integration.store.connections import connection_to
from upgrade_orchestrator.cli import airflow_commands, setup


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow has no roles to make; what a command changes of this process ends with the test."""
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "airflow.api_fastapi.auth.managers.simple.SimpleAuthManager")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(ROOT / "dags"))
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")  # as in a task, which must not matter


def test_setup_command_migrates_the_database_and_may_be_repeated(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            airflow_commands._set_up(argparse.Namespace(tenant=[]))
        assert ended.value.code == 0
        first, second, third = capsys.readouterr().out.splitlines()
        assert first == "upgrades: database is at the newest schema"
        assert second.startswith("upgrades: no roles to make: SimpleAuthManager")
        assert third == "upgrades: the DAG files are in the bundle dags-folder"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AIRFLOW__UPGRADES__LEASE_SECONDS", "soon", "[upgrades] lease_seconds"),
        ("AIRFLOW__UPGRADES__DAG_BUNDLE", "upgrades", "set it to dags-folder"),
        ("AIRFLOW_CONN_UPGRADES_DB", json.dumps({"conn_type": "mysql", "host": "db"}), "must be of type postgres"),
        ("AIRFLOW_CONN_UPGRADES_DB", "postgres://u:secret@127.0.0.1:9/x", "start it, or correct host and port in"),
    ],
)
def test_setup_command_reports_an_error_in_one_line_with_exit_code_1(
    variable: str,
    value: str,
    said: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    monkeypatch.setenv(variable, value)
    assert setup.set_up() == 1
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("upgrades: ")
    assert said in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "not-this"}, "correct login and password in AIRFLOW_CONN_UPGRADES_DB"),
        ({"schema": "nowhere"}, "create it (CREATE DATABASE …), or correct schema and login in"),
        ({"host": "no-such-host.invalid"}, "start it, or correct host and port in"),
        ({"extra": {"sslmode": "require"}}, "correct sslmode and its files in the extra of"),
    ],
)
def test_setup_command_says_what_to_correct_of_a_connection_that_does_not_fit_the_server(
    changed: dict[str, object],
    said: str,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = json.loads(connection_to(postgres_url))
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", json.dumps(given | changed))
    assert setup.set_up() == 1
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("upgrades: the database of the Airflow connection upgrades_db cannot be used: ")
    assert said in message
    assert not [each for each in (given["password"], "not-this") if each in message]


def test_setup_command_whose_airflow_database_cannot_be_read_says_so_of_a_connection_that_is_not_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW__UPGRADES__DB_CONN_ID", "nowhere")
    assert setup.set_up() == 1
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith("upgrades: the Airflow connection nowhere is not found, and Airflow's own database")


def test_setup_command_refuses_a_tenant_whose_roles_cannot_be_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    assert setup.set_up(["t" * 64]) == 1
    assert "a role's name may have 64 characters" in capsys.readouterr().err
