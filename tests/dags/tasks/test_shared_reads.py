"""Triggers that are woken for the same thing at the same moment share one read; a later one reads again."""

import asyncio
import gc

import pytest

from upgrade_orchestrator.flow.upgrade.shared_reads import SharedReads


class Reads:
    """Counts the reads by key and returns the number."""

    def __init__(self, error: Exception | None = None) -> None:
        self.number = 0
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.go_on = asyncio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.number += 1
        found = self.number
        self.begun.put_nowait(found)
        await self.go_on.wait()
        if self._error:
            raise self._error
        return found


async def test_concurrent_callers_share_a_read() -> None:
    shared, reads = SharedReads[int](), Reads()
    reads.go_on.set()
    assert await asyncio.gather(*(shared.read("e-1", reads) for _ in range(5))) == [1] * 5
    assert await shared.read("e-1", reads) == 2


async def test_caller_that_arrives_after_a_read_has_begun_gets_a_read_of_its_own() -> None:
    shared, reads = SharedReads[int](), Reads()
    first = asyncio.create_task(shared.read("e-1", reads))
    assert await reads.begun.get() == 1
    second = asyncio.create_task(shared.read("e-1", reads))
    assert await reads.begun.get() == 2
    reads.go_on.set()
    assert (await first, await second) == (1, 2)


async def test_reads_of_different_keys_are_not_shared() -> None:
    shared, reads = SharedReads[int](), Reads()
    reads.go_on.set()
    assert sorted(await asyncio.gather(shared.read("e-1", reads), shared.read("e-2", reads))) == [1, 2]


async def test_cancelled_caller_does_not_cancel_the_read_of_the_others() -> None:
    shared, reads = SharedReads[int](), Reads()
    leaves, stays = (asyncio.create_task(shared.read("e-1", reads)) for _ in range(2))
    assert await reads.begun.get() == 1
    leaves.cancel()
    reads.go_on.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_read_that_fails_fails_for_all_callers_that_share_it() -> None:
    shared, reads = SharedReads[int](), Reads(ValueError("a mistake"))
    reads.go_on.set()
    found = await asyncio.gather(*(shared.read("e-1", reads) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError, ValueError]


async def test_read_that_was_cancelled_before_it_began_is_not_shared() -> None:
    shared, reads = SharedReads[int](), Reads()
    reads.go_on.set()
    asker = asyncio.create_task(shared.read("e-1", reads))
    others = asyncio.all_tasks()
    await asyncio.sleep(0)  # the caller has created the read, which has not run yet
    (look,) = asyncio.all_tasks() - others
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert await shared.read("e-1", reads) == 1


async def test_read_that_fails_without_waiting_callers_is_not_reported() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    shared, reads = SharedReads[int](), Reads(ValueError("a mistake"))
    asker = asyncio.create_task(shared.read("e-1", reads))
    await reads.begun.get()
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    reads.go_on.set()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    del others, asker
    gc.collect()
    assert complaints == []
