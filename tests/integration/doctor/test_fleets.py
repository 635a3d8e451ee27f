"""The doctor's look at the fleet of each deployment."""

import json

import pytest

from tests.integration.store.connections import connection_to
from tests.integration.world import CONNECTION, World
from upgrade_orchestrator.cli.doctor.looks.fleets import look_at_fleets
from upgrade_orchestrator.cli.doctor.timed import timed


def look() -> list[str]:
    """In a thread of its own, as the command does: the test's event loop runs in this one."""
    return [str(each) for each in timed("fleets", look_at_fleets)]


@pytest.fixture(autouse=True)
def defined(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(world.url))


async def test_fleet_that_answers_is_well(world: World) -> None:
    (line,) = look()
    assert line.startswith("ok       fleet world-")
    assert line.endswith(f": 4 instances, through {CONNECTION}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"port": 9}, "correct the Airflow connection"),
        ({"password": "not-the-token"}, "refuses the token"),
        ({"schema": "ftp"}, "schema must be http or https"),
    ],
)
async def test_fleet_that_cannot_be_used_is_an_error_with_what_to_correct(
    changed: dict[str, object], said: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"AIRFLOW_CONN_{CONNECTION.upper()}"
    agent = {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": world.agent.port}
    monkeypatch.setenv(variable, json.dumps(agent | changed))
    (line,) = look()
    assert line.startswith("error    fleet world-")
    assert said in line
    assert "not-the-token" not in line


async def test_fleet_without_a_connection_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"AIRFLOW_CONN_{CONNECTION.upper()}")
    (line,) = look()
    assert f"the Airflow connection {CONNECTION} is not defined" in line


async def test_fleets_are_not_looked_at_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upgrade_orchestrator.adapters.airflow.connections._resolved", {})
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", "postgres://u:secret@127.0.0.1:9/x")
    assert look() == ["error    fleets: not looked at, because of what is said of the database"]
