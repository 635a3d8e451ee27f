"""Airflow's real API server with our plugin in it: `airflow`, one for the tests of this folder."""

from collections.abc import Iterator

import pytest

from local.postgres.server import Postgres
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.web.api_server.running_airflow import RunningAirflow


@pytest.fixture(scope="package")
def set_up_airflow(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningAirflow]:
    """One for all tests: it takes long to set up, and to start."""
    found = RunningAirflow(postgres_server, migrated_template, demo_agent, tmp_path_factory.mktemp("airflow"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def airflow(set_up_airflow: RunningAirflow) -> RunningAirflow:
    """Served, also after a test that has ended the server."""
    set_up_airflow.serve()
    return set_up_airflow
