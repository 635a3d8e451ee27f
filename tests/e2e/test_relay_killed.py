"""The API server, which leads the relay, is killed (-9) 20 times at random: consumers still see all events in order."""

import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import httpx
import pytest

from local.airflow import API_SERVER
from local.ports import HOST
from local.rest import BASE
from local.stack import Stack
from tests.e2e.conftest import NewTenant
from tests.e2e.steps import TERMINAL, Tenant, wait_for
from tests.integration.kafka.reader import Reader

KILLS, AT_ONCE, SIZE = 20, 2, 12
TOPIC = "registry.upgrade-orchestration-events"
_WITHIN_SECONDS = 300.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture
def reader(stack: Stack) -> Iterator[Reader]:
    made = Reader(f"{HOST}:{stack.ports.kafka}", TOPIC)
    yield made
    made.close()


def test_consumers_see_every_event_in_order_when_the_relays_process_is_killed_at_random(
    stack: Stack, new_tenant: NewTenant, reader: Reader
) -> None:
    random = Random("relay")
    upgrades: dict[str, Tenant] = {}
    for _ in range(KILLS):
        _wait_until_it_relays(stack, reader)
        _keep_busy(new_tenant, upgrades)
        reader.poll(random.uniform(0.0, 5.0))
        stack.kill(API_SERVER)
        stack.start(API_SERVER)
    _wait_until_it_relays(stack, reader)
    for execution_id, tenant in upgrades.items():
        tenant.wait_until(execution_id, "COMPLETED")
    wait_for("the relay to be through", lambda: _health(stack)["relay"]["lagRows"] == 0)
    told = {each: len(tenant.events(each)) for each, tenant in upgrades.items()}
    reader.until(lambda: all(len(reader.sequences().get(each, ())) >= told[each] for each in told), _WITHIN_SECONDS)
    found = reader.sequences()
    assert {each: found[each] for each in told} == {each: list(range(1, last + 1)) for each, last in told.items()}
    print(f"{len(told)} upgrades, {sum(told.values())} events, {KILLS} kills, {reader.again} came again")


def _keep_busy(new_tenant: NewTenant, upgrades: dict[str, Tenant]) -> None:
    """Some upgrades that are under way, with an event or more a second each."""
    under_way = [each for each, tenant in upgrades.items() if tenant.execution(each)["status"] not in TERMINAL]
    for _ in range(AT_ONCE - len(under_way)):
        tenant = new_tenant(SIZE, upgrade_seconds=2.0)
        upgrades[tenant.start(batchSize=2, maxUnavailablePercentage=50)] = tenant


def _wait_until_it_relays(stack: Stack, reader: Reader) -> None:
    deadline = time.monotonic() + _WITHIN_SECONDS
    while not _relays(stack):
        assert time.monotonic() < deadline, "the API server does not come back"
        reader.poll(0.2)


def _relays(stack: Stack) -> bool:
    with suppress(httpx.TransportError, httpx.HTTPStatusError):
        return bool(_health(stack)["relay"]["state"] == "running")
    return False


def _health(stack: Stack) -> dict[str, dict[str, object]]:
    answer = httpx.get(f"http://{HOST}:{stack.port}{BASE}/health", trust_env=False, timeout=10)
    found: dict[str, dict[str, object]] = answer.raise_for_status().json()
    return found
