"""`airflow upgrades setup`: output and exit code, with a real database and without one."""

import argparse
import json

import pytest

from tests.integration.store.connections import connection_to
from upgrade_orchestrator.cli import airflow_commands, setup


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow has no roles to make; what a command changes of this process ends with the test."""
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "airflow.api_fastapi.auth.managers.simple.SimpleAuthManager")
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


def test_setup_command_migrates_the_database_and_may_be_repeated(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            airflow_commands._set_up(argparse.Namespace(tenant=[]))
        assert ended.value.code == 0
        first, second = capsys.readouterr().out.splitlines()
        assert first == "upgrades: database is at the newest schema"
        assert second.startswith("upgrades: no roles to make: SimpleAuthManager")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AIRFLOW__UPGRADES__DB_CONN_ID", "nowhere", "nowhere"),
        ("AIRFLOW__UPGRADES__LEASE_SECONDS", "soon", "[upgrades] lease_seconds"),
        ("AIRFLOW_CONN_UPGRADES_DB", json.dumps({"conn_type": "mysql", "host": "db"}), "must be of type postgres"),
        ("AIRFLOW_CONN_UPGRADES_DB", "postgres://u:secret@127.0.0.1:9/x", "the database cannot be used"),
    ],
)
def test_setup_command_reports_an_error_in_one_message_with_exit_code_1(
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
    message = capsys.readouterr().err
    assert message.startswith("upgrades: ")
    assert said in message
    assert "secret" not in message


def test_setup_command_refuses_a_tenant_whose_roles_cannot_be_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    assert setup.set_up(["t" * 64]) == 1
    assert "a role's name may have 64 characters" in capsys.readouterr().err
