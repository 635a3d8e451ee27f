"""The event loop on which the use cases are tested."""

import asyncio
import time
from datetime import timedelta

import pytest

from tests.virtual_time import NobodyWaitsError, NothingToWaitForError, VirtualLoop, running_clock


async def test_virtual_wait_of_an_hour_takes_no_real_time() -> None:
    loop, began = asyncio.get_running_loop(), time.monotonic()
    before = loop.time()
    await asyncio.sleep(3600)
    assert loop.time() - before == pytest.approx(3600)
    assert time.monotonic() - began < 1


async def test_virtual_timers_fire_in_the_order_of_their_times() -> None:
    rang: list[float] = []

    async def ring(seconds: float) -> None:
        await asyncio.sleep(seconds)
        rang.append(seconds)

    await asyncio.gather(*(ring(each) for each in (30, 0.5, 7200, 2)))
    assert rang == [0.5, 2, 30, 7200]


async def test_virtual_time_out_fires_before_a_longer_wait() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(60), 59)


async def test_virtual_wall_clock_advances_with_the_loop_and_with_every_read() -> None:
    clock = running_clock()
    first, second = clock.now(), clock.now()
    await asyncio.sleep(60)
    assert first < second
    assert (clock.now() - second).total_seconds() == pytest.approx(60, abs=0.001)


async def test_virtual_wall_clock_that_is_set_moves_no_timer() -> None:
    clock, loop = running_clock(), asyncio.get_running_loop()
    before, wall = loop.time(), clock.now()
    clock.ahead -= timedelta(hours=1)
    await asyncio.sleep(1)
    assert loop.time() - before == pytest.approx(1, abs=0.001)
    assert clock.now() < wall


def test_virtual_wait_without_any_timer_fails() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, pytest.raises(NothingToWaitForError):
        runner.run(asyncio.Event().wait())


def test_virtual_work_without_progress_of_time_fails() -> None:
    async def circle() -> None:
        while not over:
            await turn()

    async def turn() -> None:
        await asyncio.sleep(0)

    over: list[bool] = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        with pytest.raises(NobodyWaitsError):
            runner.run(circle())
        over.append(True)
