"""A database whose host goes silent is noticed within seconds, by every kind of connection."""

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.integration.store.engine.silent_proxy import SilentProxy
from upgrade_orchestrator.adapters.postgres.engine import leader, limits
from upgrade_orchestrator.adapters.postgres.engine.engine import sync_engine
from upgrade_orchestrator.adapters.postgres.engine.leader import PostgresLeadership
from upgrade_orchestrator.adapters.postgres.engine.limits import answer_seconds, connection_arguments
from upgrade_orchestrator.adapters.postgres.events import signals
from upgrade_orchestrator.adapters.postgres.events.signals import PostgresSignals
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork, connected
from upgrade_orchestrator.bootstrap import close_ports
from upgrade_orchestrator.domain.errors import Unavailable

SOON = 10.0
"Seconds within which all of this ends, on a busy machine; each limit is far shorter."


@pytest.fixture
async def proxy(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SilentProxy]:
    monkeypatch.setattr(limits, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(limits, "LOCK_SECONDS", 0.3)
    monkeypatch.setattr(limits, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 2)
    async with SilentProxy(postgres_url).running() as proxy:
        yield proxy
        await close_ports()


async def _read(url: str) -> object:
    async with PostgresUnitOfWork(url, 10) as work:
        return await work.now()


# fault 34
async def test_read_of_a_silent_database_is_unavailable_and_works_again_when_it_speaks(proxy: SilentProxy) -> None:
    await _read(proxy.url)
    proxy.fall_silent()
    for _ in range(2):  # on a connection of the pool, and on a new one
        async with asyncio.timeout(SOON):
            with pytest.raises(Unavailable):
                await _read(proxy.url)
    proxy.speak()
    await _read(proxy.url)


# fault 34
async def test_silence_in_the_middle_of_a_unit_of_work_is_unavailable(proxy: SilentProxy) -> None:
    async with asyncio.timeout(SOON):
        with pytest.raises(Unavailable):
            await _fall_silent_within(proxy)


async def _fall_silent_within(proxy: SilentProxy) -> None:
    async with PostgresUnitOfWork(proxy.url, 10) as work:
        await work.now()
        proxy.fall_silent()
        await work.commit()


# fault 34
async def test_cancelled_read_of_a_silent_database_ends(proxy: SilentProxy) -> None:
    await _read(proxy.url)
    proxy.fall_silent()
    reading = asyncio.create_task(_read(proxy.url))
    await asyncio.sleep(0.1)
    reading.cancel()
    done, _ = await asyncio.wait([reading], timeout=2 * SOON)
    assert done


# fault 34
async def test_statement_that_takes_too_long_is_ended_by_postgresql(proxy: SilentProxy) -> None:
    async with asyncio.timeout(SOON):
        with pytest.raises(Unavailable):
            async with connected(proxy.url) as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))
        await _read(proxy.url)


# fault 34
async def test_wait_for_a_lock_is_ended_by_postgresql(proxy: SilentProxy, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as holder:
        holder.execute("LOCK TABLE lease IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(SOON):
            with pytest.raises(Unavailable) as refusal:
                async with connected(proxy.url) as connection:
                    await connection.execute(text("SELECT 1 FROM lease"))
    assert "lock timeout" in str(refusal.value.__cause__)


@pytest.mark.usefixtures("proxy")
async def test_answer_that_a_slow_process_has_not_read_yet_is_not_lost(postgres_url: str) -> None:
    async with connected(postgres_url) as connection:
        reading = asyncio.create_task(connection.execute(text("SELECT pg_sleep(0.1), 7")))
        await asyncio.sleep(0.05)
        time.sleep(1.5)  # noqa: ASYNC251  this process stands still for longer than the limit
        assert (await reading).all()[0][1] == 7


# fault 34
async def test_leader_notices_silence_within_seconds(proxy: SilentProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "SILENCE_SECONDS", 0.5)
    leadership = PostgresLeadership(proxy.url)
    assert await leadership.lead()
    proxy.fall_silent()
    async with asyncio.timeout(SOON):
        assert not await leadership.lead()
    proxy.speak()
    assert await _leads(leadership)
    await leadership.resign()


async def _leads(leadership: PostgresLeadership) -> bool:
    """PostgreSQL releases the lock of the connection that was lost when the proxy passes its end on."""
    deadline = time.monotonic() + SOON
    while not await leadership.lead():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return True


# fault 34
async def test_listener_notices_silence_and_wakes_its_waiters_when_it_is_back(
    proxy: SilentProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(signals, "ANSWER_SECONDS", 0.3)
    async with PostgresSignals(proxy.url).of("x") as waiter:
        assert await waiter.wait(60)  # connected
        assert not await waiter.wait(0.6)  # its probes wake nobody
        proxy.fall_silent()
        waiting = asyncio.create_task(waiter.wait(60))
        await asyncio.sleep(1.0)  # the time that must pass is what is tested
        assert not waiting.done()
        proxy.speak()
        assert await asyncio.wait_for(waiting, SOON)


async def test_limits_are_set_without_a_statement_of_their_own(postgres_url: str) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    async with connected(postgres_url) as connection:
        found = [await connection.scalar(text(f"SHOW {each}")) for each in names]
    await close_ports()
    assert found == ["10s", "8s", "1min", "UTC"]


async def test_limits_of_the_airflow_connection_count_instead(postgres_url: str) -> None:
    own = {"options": "-c statement_timeout=60s -c search_path=public", "connect_timeout": "9", "tcp_user_timeout": "7"}
    url = make_url(postgres_url).update_query_dict(own).render_as_string(hide_password=False)
    assert {"connect_timeout", "tcp_user_timeout"} & connection_arguments(url).keys() == set()
    async with connected(url) as connection:
        found = [await connection.scalar(text(f"SHOW {each}")) for each in ("statement_timeout", "lock_timeout")]
        raw = (await connection.get_raw_connection()).driver_connection
    await close_ports()
    assert (found, raw.answer_seconds) == (["1min", "8s"], 62)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ("", None),
        ("-c statement_timeout=500", 2.5),
        ("-c statement_timeout=500 -c statement_timeout=3s", 5),
        ("-c statement_timeout='2min'", 122),
        ("-c statement_timeout=0", None),
    ],
)
def test_answer_is_waited_for_longer_than_a_statement_may_take(options: str, seconds: float | None) -> None:
    assert answer_seconds(options) == seconds


def test_migrations_may_take_as_long_as_they_need(postgres_url: str) -> None:
    with sync_engine(postgres_url).connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"
        assert connection.scalar(text("SHOW tcp_keepalives_idle")) is not None
