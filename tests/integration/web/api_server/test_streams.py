"""Live streams through Airflow's real API server, with all that it puts around every answer."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from tests.integration.web.api_server.running_airflow import RunningAirflow
from tests.integration.web.live import STREAM, Message, messages, rest, take, until
from tests.labs.any_event import any_event
from tests.unit.domain.builders import make_execution, make_instance, make_request, name, planned
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.settings import Settings
from upgrade_orchestrator.web.app import URL_PREFIX

LISTENERS, ROUNDS, EACH = 200, 4, 3
MAX_CONNECTIONS = 12
"A pool of four and four more, one that listens, two that lead."
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name LIKE %s"
_numbers = itertools.count(1)


class Upgrade:
    """An execution that the test writes the events of, past the server."""

    def __init__(self, url: str, execution: Execution) -> None:
        self._ports, self._execution, self.id = ports_for(url, Settings()), execution, execution.id

    async def add(self) -> None:
        async with self._ports.work() as work:
            await work.executions.add(self._execution, planned(1), [make_instance(name(0))])
            await work.commit()
        await self.append(1)

    async def append(self, count: int) -> None:
        """Append ``count`` events."""
        async with self._ports.work() as work:
            await work.executions.lock(self.id)
            await work.events.append(self._execution, [any_event(EventType.PROGRESS, {"text": "x" * 2000})] * count)
            await work.commit()

    async def end(self) -> None:
        async with self._ports.work() as work:
            stored = await work.executions.lock(self.id)
            ended = replace(stored, status=ExecutionStatus.CANCELLED, settled_at=datetime.now(UTC))
            await work.events.append(stored, [any_event(EventType.PROGRESS, {"text": "last"})])
            await work.executions.save(ended)
            await work.commit()


@pytest.fixture
async def upgrade(airflow: RunningAirflow) -> AsyncIterator[Upgrade]:
    number = next(_numbers)
    made = make_execution(id=f"live-{number}", tenant_id=f"live-{number}", total_instances=1)
    found = Upgrade(airflow.postgres.url(airflow.own), replace(made, request=make_request(total_instances=1)))
    await found.add()
    yield found
    await close_ports()


@pytest.fixture
async def client(airflow: RunningAirflow) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {airflow.login('vera')}"} | STREAM
    limits = httpx.Limits(max_connections=LISTENERS + 10)
    base = f"{airflow.url}{URL_PREFIX}"
    async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, trust_env=False, timeout=60) as found:
        yield found


async def _open(stack: AsyncExitStack, client: httpx.AsyncClient, upgrade: Upgrade) -> AsyncIterator[Message]:
    response = await stack.enter_async_context(client.stream("GET", f"/upgrades/{upgrade.id}/events"))
    assert response.status_code == 200
    assert "content-encoding" not in response.headers  # what compresses would hold it back
    return messages(response)


async def _opened(
    stack: AsyncExitStack, client: httpx.AsyncClient, upgrade: Upgrade, count: int
) -> list[AsyncIterator[Message]]:
    return [await _open(stack, client, upgrade) for _ in range(count)]


def _connections(airflow: RunningAirflow, kind: str = "upgrades%") -> int:
    with airflow.postgres.connect() as connection:
        row = connection.execute(OPEN, (airflow.own, kind)).fetchone()
    assert row is not None
    return int(str(row[0]))


async def test_event_is_streamed_at_once_through_airflows_middleware(
    client: httpx.AsyncClient, upgrade: Upgrade
) -> None:
    async with AsyncExitStack() as stack:
        found = await _open(stack, client, upgrade)
        await take(found, 1)
        for _ in range(3):
            began = time.monotonic()
            await upgrade.append(1)
            await take(found, 1)
            assert time.monotonic() - began < 2
        await upgrade.end()
        assert [each.event for each in await rest(found)] == [EventType.PROGRESS.cloud_type, "end"]


async def test_cookie_of_the_ui_opens_a_stream(airflow: RunningAirflow, upgrade: Upgrade) -> None:
    cookies = {"_token": airflow.login("vera")}
    base = f"{airflow.url}{URL_PREFIX}"
    async with (
        httpx.AsyncClient(base_url=base, headers=STREAM, cookies=cookies, trust_env=False, timeout=60) as client,
        AsyncExitStack() as stack,
    ):
        found = await _open(stack, client, upgrade)
        await take(found, 1)
        await upgrade.append(1)
        assert [each.id for each in await take(found, 1)] == ["2"]


async def test_two_hundred_stream_readers_get_every_event_over_a_few_database_connections(
    airflow: RunningAirflow, client: httpx.AsyncClient, upgrade: Upgrade
) -> None:
    async with AsyncExitStack() as stack:
        found = await _opened(stack, client, upgrade, LISTENERS)
        heard = asyncio.gather(*(rest(each) for each in found))
        open_connections = []
        for _ in range(ROUNDS):
            await upgrade.append(EACH)
            await asyncio.to_thread(lambda: open_connections.append(_connections(airflow)))
        await upgrade.end()
        everything = await heard
    expected = [str(number) for number in range(1, ROUNDS * EACH + 3)]
    assert all([each.id for each in one[:-1]] == expected and one[-1].event == "end" for one in everything)
    assert max(open_connections) <= MAX_CONNECTIONS + 4  # the test's own pool


async def test_disconnected_stream_readers_leave_no_task_and_no_connection(
    airflow: RunningAirflow, client: httpx.AsyncClient, upgrade: Upgrade
) -> None:
    async with AsyncExitStack() as stack:
        found = await _opened(stack, client, upgrade, 20)
        await asyncio.gather(*(take(each, 1) for each in found))
        await upgrade.append(1)
        await asyncio.gather(*(take(each, 1) for each in found))
        assert _connections(airflow, "upgrades-signals") == 1
    await until(lambda: not _connections(airflow, "upgrades-signals"))


async def test_server_stops_within_seconds_with_fifty_open_streams(
    airflow: RunningAirflow, client: httpx.AsyncClient, upgrade: Upgrade
) -> None:
    async with AsyncExitStack() as stack:
        found = await _opened(stack, client, upgrade, 50)
        await asyncio.gather(*(take(each, 1) for each in found))
        began, ending = time.monotonic(), asyncio.create_task(asyncio.to_thread(airflow.end))
        assert await asyncio.gather(*(rest(each) for each in found)) == [[]] * 50
        withdrawn = time.monotonic() - began
        await ending  # within half a minute, however slow the rest of Airflow goes down
    assert withdrawn < 5
    assert "timeout graceful shutdown exceeded" not in airflow.log()
