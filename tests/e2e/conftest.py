"""One whole local stack for all end-to-end tests, on the seed's own port when that is free.

api, airflow   clients of the admin user: our API, Airflow's API
new_tenant     makes a tenant with a fresh fleet, a deployment and a verified backup, all over HTTP
"""

import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from local.airflow.settings import ADMIN, UPGRADES_DATABASE
from local.demo.rest import BASE
from local.fleet.client import FleetAdmin
from local.ports import HOST
from local.stack.stack import Stack
from tests.browser.browsing import Visits, browser, pytest_runtest_makereport, visiting
from tests.e2e.steps import COMPONENT, OLD, Tenant
from tests.e2e.users import LIMITED_TENANT, USERS, prepare, tokens
from tests.event_rows import violations_in
from tests.shared_stack import NOTICES, ROOT, environment, in_use, running_stack, wait_until_the_others_have_ended

__all__ = ["browser", "pytest_runtest_makereport"]
_numbers = itertools.count(1)
NewTenant = Callable[..., Tenant]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tests share the stack, except that one marked ``alone`` has it for itself and may break it.

    This wraps fixtures of every scope, which use the stack as well, and the timeout, so that no test fails by waiting
    for others or for the stack to start. One marked ``last`` stops the stack, and no test follows it.
    """
    if item.get_closest_marker("e2e") is None:
        return (yield)
    if item.get_closest_marker("last") is not None:
        wait_until_the_others_have_ended()
    with in_use(alone=item.get_closest_marker("alone") is not None):
        with suppress(Exception):  # the fixture raises it again, so that it is the failure of a test
            running_stack(prepare)
        return (yield)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The run's stack; at the end, all events in its database follow the schemas in docs/events.

    The test that stops the stack has checked that before.
    """
    found = running_stack(prepare)
    yield found
    with in_use():
        if found.running():
            assert_events_match_schemas(found)


def assert_events_match_schemas(stack: Stack) -> None:
    """Fails when an event in the stack's database does not follow its schema in docs/events."""
    with stack.postgres().connect(UPGRADES_DATABASE) as connection:
        assert violations_in(connection) == []


@pytest.fixture
def command(stack: Stack) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `python -m local <name>` for the stack; keyword arguments change the environment."""

    def run(name: str, **more: str) -> "subprocess.CompletedProcess[str]":
        own = {"PORT": str(stack.port), "LOCAL_STATE": str(stack.layout.state)}
        env = environment(stack.layout.state) | own | more
        argv = [sys.executable, "-m", "local", name]
        return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def token(stack: Stack) -> str:
    return tokens()[ADMIN]


@pytest.fixture(scope="session")
def api(stack: Stack, token: str) -> Iterator[httpx.Client]:
    with _client(stack, BASE, token) as client:
        yield client


@pytest.fixture(scope="session")
def airflow(stack: Stack, token: str) -> Iterator[httpx.Client]:
    with _client(stack, "/api/v2", token) as client:
        yield client


@pytest.fixture(scope="session")
def client_of(stack: Stack) -> Iterator[Callable[[str], httpx.Client]]:
    """Clients of our API for the users in USERS."""
    clients = {name: _client(stack, BASE, tokens()[name]) for name in USERS}
    yield clients.__getitem__
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def airflow_of(stack: Stack, client_of: Callable[[str], httpx.Client]) -> Iterator[Callable[[str], httpx.Client]]:
    """Clients of Airflow's API for the same users."""
    clients = {name: _client(stack, "/api/v2", tokens()[name]) for name in USERS}
    yield clients.__getitem__
    for client in clients.values():
        client.close()


@pytest.fixture(scope="session")
def notices(stack: Stack) -> Path:
    """What the notifiers have sent: a line for each notice."""
    return stack.layout.state / NOTICES


@pytest.fixture
def visits(
    stack: Stack,
    browser: Browser,
    tmp_path: Path,
) -> Iterator[Visits]:
    """Opens pages as admin or as one of the users in USERS."""
    with visiting(Visits(browser, f"http://{HOST}:{stack.port}", tokens().__getitem__)) as opened:
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
        name = f"e2e-{os.getpid()}-{next(_numbers)}"  # other processes create tenants on the same stack
        agent.create(name, size, "3.6.0", upgrade_seconds=upgrade_seconds)
        deployment = {"driver": "agent", "connId": "demo_fleet", "fleet": name, "currentVersionId": OLD}
        put = api.put(f"/tenants/{name}/components/{COMPONENT}/deployment", json=deployment)
        assert put.status_code == 200, put.text
        if backup:
            _add_backup(api, name, tmp_path_factory.mktemp("backup") / "everything")
        return Tenant(name, name, size, api, airflow, agent)

    return make


@pytest.fixture(scope="session")
def limited_tenant(api: httpx.Client, agent: FleetAdmin) -> str:
    """The only tenant that tina's role gives access to, on a fleet of two."""
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


def _client(stack: Stack, base: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    # a killed server has closed the kept connections: another try opens a new one
    transport = httpx.HTTPTransport(retries=1)
    base_url = f"http://{HOST}:{stack.port}{base}"
    return httpx.Client(base_url=base_url, headers=headers, transport=transport, trust_env=False, timeout=30)
