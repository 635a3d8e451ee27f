"""The loops run in one process at a time, survive errors, and stop when they are cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
from sqlalchemy.engine import make_url

from local.postgres.server import Postgres
from upgrade_orchestrator.adapters.postgres.engine.leader import PostgresLeadership
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.control import loops as control_loops
from upgrade_orchestrator.service.control.loops import LOOPS, Loop, run_control_loops
from upgrade_orchestrator.service.ports.unit_of_work import Ports

WITHIN_SECONDS = 60


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_loops, "LEADER_POLL_SECONDS", 0.05)


class Rounds:
    """Counts its rounds by process name; `trouble` is raised in each of them."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.trouble: Exception | None = None

    def loop(self, name: str) -> Loop:
        async def use_case(ports: Ports) -> None:
            self.of[name] = self.of.get(name, 0) + 1
            if self.trouble is not None:
                raise self.trouble

        return Loop(name, 0.01, use_case)

    async def more(self, name: str) -> None:
        """Waits for another round in that process."""
        before = self.of.get(name, 0)
        async with asyncio.timeout(WITHIN_SECONDS):
            while self.of.get(name, 0) == before:  # noqa: ASYNC110 - rounds are counted, not signalled
                await asyncio.sleep(0.01)


async def open_ports() -> Ports:
    return cast(Ports, None)  # the loops of these tests need none


def leads(url: str) -> Callable[[], Awaitable[PostgresLeadership]]:
    async def open_leadership() -> PostgresLeadership:
        return PostgresLeadership(url)

    return open_leadership


@asynccontextmanager
async def process(url: str, *loops: Loop, opens: Any = open_ports) -> AsyncIterator["asyncio.Task[None]"]:
    """The loops as an API server's process runs them."""
    task = asyncio.create_task(run_control_loops(opens, leads(url), loops))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_control_loops_run_in_one_process_and_the_next_takes_over_at_once(postgres_url: str) -> None:
    rounds = Rounds()
    async with process(postgres_url, rounds.loop("second")) as second:
        async with process(postgres_url, rounds.loop("first")):
            leader, other = await _leader(rounds)
            await rounds.more(leader)
            assert other not in rounds.of
            if leader == "second":
                second.cancel()
                await rounds.more("first")
        if leader == "first":
            await rounds.more("second")


async def _leader(rounds: Rounds) -> tuple[str, str]:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not rounds.of:  # noqa: ASYNC110 - rounds are counted, not signalled
            await asyncio.sleep(0.01)
    (leader,) = rounds.of
    return leader, "first" if leader == "second" else "second"


@pytest.mark.parametrize("trouble", [Unavailable("away"), RuntimeError("broken")])
async def test_control_loop_continues_after_any_error(postgres_url: str, trouble: Exception) -> None:
    rounds = Rounds()
    rounds.trouble = trouble
    async with process(postgres_url, rounds.loop("ill"), rounds.loop("well")) as running:
        for _ in range(2):
            await rounds.more("ill")
            await rounds.more("well")
        assert not running.done()


async def test_control_loops_stop_when_the_lead_is_lost_and_start_again_with_it(
    postgres_url: str, postgres_server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = Rounds()
    caplog.set_level("INFO")
    async with process(postgres_url, rounds.loop("only")):
        await rounds.more("only")
        with postgres_server.connect() as connection:
            kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s"
            await asyncio.to_thread(connection.execute, kill, ("upgrades-leader",))
        async with asyncio.timeout(WITHIN_SECONDS):
            while "does not run the control loops any more" not in caplog.text:  # noqa: ASYNC110 - lines, not signals
                await asyncio.sleep(0.01)
        await rounds.more("only")


async def test_control_loops_wait_for_ports_that_cannot_be_opened_yet(postgres_url: str) -> None:
    rounds, refusals = Rounds(), [Unavailable("not yet"), RuntimeError("no connection of that name")]

    async def opens() -> Ports:
        if refusals:
            raise refusals.pop()
        return await open_ports()

    async with process(postgres_url, rounds.loop("only"), opens=opens):
        await rounds.more("only")
    assert refusals == []


async def test_control_loops_leave_no_task_and_no_connection_when_stopped(
    postgres_url: str, postgres_server: Postgres
) -> None:
    rounds = Rounds()
    async with process(postgres_url, rounds.loop("only")):
        await rounds.more("only")
    done = rounds.of["only"]
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "only"]
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = %s"
    with postgres_server.connect() as connection:
        row = connection.execute(left, ("upgrades-leader", make_url(postgres_url).database)).fetchone()
    assert (row, rounds.of["only"]) == ((0,), done)


def test_actions_in_airflow_are_reconciled_often_enough() -> None:
    assert {each.name: each.seconds for each in LOOPS}["reconcile"] <= 5
