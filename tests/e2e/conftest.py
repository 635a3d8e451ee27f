"""One whole local stack for all end-to-end tests, on the seed's own port when that is free.

api, airflow   clients of the admin user: our API, Airflow's API
new_tenant     makes a tenant with a fresh fleet, a deployment and a verified backup, all over HTTP
"""

import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, StorageState

from include.upgrades.domain.events import EventType
from local.airflow import UPGRADES_DATABASE
from local.fleet.client import FleetAdmin
from local.health import request_token
from local.ports import HOST, free_port, is_busy
from local.rest import BASE
from local.stack import DEFAULT_PORT, Stack
from tests.browsing import Visits, browser, logged_in, pytest_runtest_makereport, visiting
from tests.e2e.steps import COMPONENT, OLD, Tenant
from tests.event_book import types_in, violations_in

__all__ = ["browser", "logged_in", "pytest_runtest_makereport"]
ROOT = Path(__file__).resolve().parents[2]
LIMITED_TENANT = "tinas-own"
USERS = {
    "vera": "Upgrade Viewer",
    "otto": "Upgrade Operator",
    "anna": "Upgrade Approver",
    "ursula": "Upgrade Admin",
    "user": "User",  # one of Airflow's own: it may answer questions there, and has no say in upgrades
    "tina": f"Upgrade Operator {LIMITED_TENANT}",
    "tom": "Upgrade Operator another-tenant",
}
PASSWORD = "only-for-this-test"
_MAKE_USERS = f"""
from include.upgrades.adapters.airflow.roles import make_roles
make_roles(["{LIMITED_TENANT}", "another-tenant"])
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role in {USERS!r}.items():
        builder.sm.add_user(name, name, name, name + "@example.com", builder.sm.find_role(role), {PASSWORD!r})
"""
_numbers = itertools.count(1)

NewTenant = Callable[..., Tenant]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """At the end, all that was told in it is as the events' book says; after the whole suite, all of the book was."""
    port = free_port() if is_busy(DEFAULT_PORT) else DEFAULT_PORT
    state = tmp_path_factory.mktemp("e2e") / "state"
    own = Stack(ROOT, port, state, _environment(state))
    try:
        own.up()
        yield own
        with own.postgres().connect(UPGRADES_DATABASE) as connection:
            assert violations_in(connection) == []
            if _is_whole_suite(request.session):
                assert types_in(connection) == {each.value for each in EventType}
    finally:
        own.remove()


def _is_whole_suite(session: pytest.Session) -> bool:
    here = Path(__file__).parent
    return set(here.glob("test_*.py")) <= {item.path for item in session.items} and not session.testsfailed


@pytest.fixture
def command(stack: Stack) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `python -m local <name>` on the stack."""

    def run(name: str) -> "subprocess.CompletedProcess[str]":
        env = _environment(stack.layout.state) | {"PORT": str(stack.port), "LOCAL_STATE": str(stack.layout.state)}
        argv = [sys.executable, "-m", "local", name]
        return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def token(stack: Stack) -> str:
    return stack.token()


@pytest.fixture(scope="session")
def api(stack: Stack, token: str) -> Iterator[httpx.Client]:
    with _client(stack, BASE, token) as client:
        yield client


@pytest.fixture(scope="session")
def airflow(stack: Stack, token: str) -> Iterator[httpx.Client]:
    with _client(stack, "/api/v2", token) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(stack: Stack) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=f"http://{HOST}:{stack.port}{BASE}", trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def client_of(stack: Stack) -> Iterator[Callable[[str], httpx.Client]]:
    """Clients of our API for the users in USERS."""
    done = subprocess.run(
        [sys.executable, "-c", _MAKE_USERS], cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    clients = {name: _client(stack, BASE, request_token(stack.port, name, PASSWORD)) for name in USERS}
    yield clients.__getitem__
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def airflow_of(stack: Stack, client_of: Callable[[str], httpx.Client]) -> Iterator[Callable[[str], httpx.Client]]:
    """Clients of Airflow's API for the same users."""
    clients = {name: _client(stack, "/api/v2", request_token(stack.port, name, PASSWORD)) for name in USERS}
    yield clients.__getitem__
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def notices(stack: Stack) -> Path:
    """What the notifiers have sent: a line for each notice."""
    return _notices_in(stack.layout.state)


@pytest.fixture
def visits(
    stack: Stack,
    client_of: Callable[[str], httpx.Client],
    browser: Browser,
    logged_in: dict[tuple[str, str], StorageState],
    tmp_path: Path,
) -> Iterator[Visits]:
    """Opens pages as admin or as one of the users in USERS."""
    passwords = {"admin": stack.credentials().admin_password}
    url = f"http://{HOST}:{stack.port}"
    with visiting(Visits(browser, url, lambda name: passwords.get(name, PASSWORD), logged_in)) as opened:
        yield opened


@pytest.fixture(scope="session")
def agent(stack: Stack) -> Iterator[FleetAdmin]:
    with FleetAdmin(f"http://{HOST}:{stack.ports.agent}", stack.credentials().agent_token) as admin:
        yield admin


@pytest.fixture(scope="session")
def new_tenant(
    api: httpx.Client, airflow: httpx.Client, agent: FleetAdmin, tmp_path_factory: pytest.TempPathFactory
) -> NewTenant:
    """`backup=False` leaves the backup out; `upgrade_seconds` is what an instance takes."""

    def make(size: int = 4, *, upgrade_seconds: float = 0.3, backup: bool = True) -> Tenant:
        name = f"e2e-{next(_numbers)}"
        agent.create(name, size, "3.6.0", upgrade_seconds=upgrade_seconds)
        deployment = {"driver": "agent", "connId": "demo_fleet", "fleet": name, "currentVersionId": OLD}
        put = api.put(f"/tenants/{name}/components/{COMPONENT}/deployment", json=deployment)
        assert put.status_code == 200, put.text
        if backup:
            _add_backup(api, name, tmp_path_factory.mktemp("backup") / "everything")
        return Tenant(name, name, size, api, airflow, agent)

    return make


@pytest.fixture(scope="session")
def limited_tenant(api: httpx.Client, agent: FleetAdmin, client_of: Callable[[str], httpx.Client]) -> str:
    """The tenant that tina's role is limited to, on a fleet of two."""
    agent.create(LIMITED_TENANT, 2, "3.6.0")
    deployment = {"driver": "agent", "connId": "demo_fleet", "fleet": LIMITED_TENANT, "currentVersionId": OLD}
    put = api.put(f"/tenants/{LIMITED_TENANT}/components/{COMPONENT}/deployment", json=deployment)
    assert put.status_code == 200, put.text
    return LIMITED_TENANT


def _add_backup(api: httpx.Client, tenant: str, path: Path) -> None:
    content = f"everything that {tenant} has\n".encode() * 100
    path.write_bytes(content)
    body = {
        "versionId": OLD,
        "location": path.as_uri(),
        "sizeBytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "createdAt": datetime.now(UTC).isoformat(),
    }
    answer = api.post(f"/tenants/{tenant}/components/{COMPONENT}/backups", json=body)
    assert answer.status_code == 201, answer.text


def _environment(state: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("KAFKA_BOOTSTRAP_SERVERS", "DEMO")}
    return kept | {"UPGRADES_NOTIFIERS": "tests.dags.notifiers:ALL", "NOTICES_FILE": str(_notices_in(state))}


def _notices_in(state: Path) -> Path:
    return state / "notices"


def _client(stack: Stack, base: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    # a server that was killed has closed the kept connections: one more try opens a new one
    transport = httpx.HTTPTransport(retries=1)
    base_url = f"http://{HOST}:{stack.port}{base}"
    return httpx.Client(base_url=base_url, headers=headers, transport=transport, trust_env=False, timeout=30)
