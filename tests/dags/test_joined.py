"""Triggers that are woken for the same thing at the same moment look once; a later one looks anew."""

import asyncio
import gc

import pytest

from upgrade_orchestrator.flow.upgrade.joined import SharedReads


class Looks:
    """How often it was looked at what; answers with the number."""

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


async def test_those_that_ask_at_the_same_moment_share_a_look() -> None:
    joined, looks = SharedReads[int](), Looks()
    looks.go_on.set()
    assert await asyncio.gather(*(joined.read("e-1", looks) for _ in range(5))) == [1] * 5
    assert await joined.read("e-1", looks) == 2


async def test_who_asks_when_a_look_has_begun_gets_one_of_its_own() -> None:
    joined, looks = SharedReads[int](), Looks()
    first = asyncio.create_task(joined.read("e-1", looks))
    assert await looks.begun.get() == 1
    second = asyncio.create_task(joined.read("e-1", looks))
    assert await looks.begun.get() == 2
    looks.go_on.set()
    assert (await first, await second) == (1, 2)


async def test_looks_at_different_things_are_not_shared() -> None:
    joined, looks = SharedReads[int](), Looks()
    looks.go_on.set()
    assert sorted(await asyncio.gather(joined.read("e-1", looks), joined.read("e-2", looks))) == [1, 2]


async def test_who_is_cancelled_leaves_the_look_to_the_others() -> None:
    joined, looks = SharedReads[int](), Looks()
    leaves, stays = (asyncio.create_task(joined.read("e-1", looks)) for _ in range(2))
    assert await looks.begun.get() == 1
    leaves.cancel()
    looks.go_on.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_look_that_fails_fails_for_all_that_share_it() -> None:
    joined, looks = SharedReads[int](), Looks(ValueError("a mistake"))
    looks.go_on.set()
    found = await asyncio.gather(*(joined.read("e-1", looks) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError, ValueError]


async def test_look_that_was_cancelled_before_it_began_is_not_joined() -> None:
    joined, looks = SharedReads[int](), Looks()
    looks.go_on.set()
    asker = asyncio.create_task(joined.read("e-1", looks))
    others = asyncio.all_tasks()
    await asyncio.sleep(0)  # the asker has made the look, which has not run yet
    (look,) = asyncio.all_tasks() - others
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert await joined.read("e-1", looks) == 1


async def test_look_that_fails_when_nobody_waits_any_more_is_not_complained_of() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    joined, looks = SharedReads[int](), Looks(ValueError("a mistake"))
    asker = asyncio.create_task(joined.read("e-1", looks))
    await looks.begun.get()
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    looks.go_on.set()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    del others, asker
    gc.collect()
    assert complaints == []
