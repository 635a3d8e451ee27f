"""One process leads; the next one takes over when it resigns, dies or loses its connection."""

import psycopg
import pytest
from sqlalchemy.engine import make_url

from local.ports import free_port
from upgrade_orchestrator.adapters.postgres.engine.leader import PostgresLeadership

HOLDERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE "
HOLDERS += "datname = current_database()) AND granted"


def _connect(url: str) -> "psycopg.Connection[tuple[int, ...]]":
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, autocommit=True)


async def test_first_process_leads_and_stays_leader(postgres_url: str) -> None:
    first, second = PostgresLeadership(postgres_url), PostgresLeadership(postgres_url)
    assert [await first.lead(), await second.lead(), await first.lead(), await second.lead()] == [True, False] * 2
    await first.resign()
    await second.resign()


async def test_next_process_leads_when_the_leader_resigns(postgres_url: str) -> None:
    first, second = PostgresLeadership(postgres_url), PostgresLeadership(postgres_url)
    assert await first.lead()
    assert not await second.lead()
    await first.resign()
    assert await second.lead()
    assert not await first.lead()
    await first.resign()
    await second.resign()


async def test_leader_loses_the_lead_with_its_connection(postgres_url: str) -> None:
    first, second = PostgresLeadership(postgres_url), PostgresLeadership(postgres_url)
    assert await first.lead()
    assert not await second.lead()
    with _connect(postgres_url) as connection:
        (pid,) = connection.execute(HOLDERS).fetchone() or (0,)
        assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,)).fetchone() == (True,)
    assert await second.lead()
    assert not await first.lead()  # notices the loss
    assert not await first.lead()  # and does not get the lead back
    await first.resign()
    await second.resign()


async def test_no_process_leads_while_the_database_is_unreachable(postgres_url: str) -> None:
    away = make_url(postgres_url).set(port=free_port()).render_as_string(hide_password=False)
    leadership = PostgresLeadership(away)
    assert not await leadership.lead()
    await leadership.resign()


@pytest.mark.parametrize("times", [1, 2])
async def test_leader_may_resign_at_any_time(postgres_url: str, times: int) -> None:
    leadership = PostgresLeadership(postgres_url)
    for _ in range(times):
        await leadership.resign()
    assert await leadership.lead()
    await leadership.resign()
