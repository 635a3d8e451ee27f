"""`fab`: Airflow with FAB and an upgrade whose DAG it knows, one for the tests of this folder."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest

from local.postgres.server import Postgres
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.web.fab.fab_airflow import ROLES, FabAirflow


@dataclass
class Fab:
    """Airflow, the DAG of an upgrade, and a client of each user."""

    airflow: FabAirflow
    dag_id: str
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        """Checking a password is slow: one log-in for each user."""
        if name not in self._tokens:
            self._tokens[name] = self.airflow.login(name)
        return self._tokens[name]

    def of(self, name: str) -> httpx.Client:
        """A client of Airflow's own paths."""
        headers = {"Authorization": f"Bearer {self.token(name)}"}
        return httpx.Client(base_url=self.airflow.url, headers=headers, trust_env=False, timeout=60)


@pytest.fixture(scope="package")
def fab(
    postgres_server: Postgres,
    migrated_template: str,
    demo_agent: RunningAgent,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fab]:
    airflow = FabAirflow(postgres_server, migrated_template, demo_agent, tmp_path_factory.mktemp("fab"))
    try:
        airflow.serve()
        found = Fab(airflow, airflow.start_upgrade())
        airflow.parse()
        for name in ROLES.keys() - {"tom"}:
            airflow.wait_for(f"the rights of {name}", partial(_sees, found, name))
        yield found
    finally:
        airflow.close()


def _sees(fab: Fab, name: str) -> bool:
    with fab.of(name) as client:
        return client.get(f"/api/v2/dags/{fab.dag_id}").is_success
