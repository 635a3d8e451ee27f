"""Sentences of a task's log that are held for a moment, since each turn of the triggerer costs more than a line."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from upgrade_orchestrator.service.runner.journal.task_log import HELD_SECONDS, TaskLog, log, written_together


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [each.getMessage() for each in caplog.records if each.name == log.name]


async def say(sentence: str) -> None:
    TaskLog().say(sentence)


async def test_sentences_are_held_for_a_moment_and_written_in_their_order(written: Callable[[], list[str]]) -> None:
    with written_together():
        await say("one")
        await asyncio.gather(say("two"), say("three"))  # tasks of their own
        assert written() == []
        await asyncio.sleep(HELD_SECONDS * 1.5)
        assert written() == ["one", "two", "three"]
        await say("four")
    assert written() == ["one", "two", "three", "four"]


async def test_warning_is_written_at_once_after_what_came_before(written: Callable[[], list[str]]) -> None:
    with written_together():
        await say("one")
        TaskLog().say("two", logging.WARNING)
        assert written() == ["one", "two"]


async def test_held_sentences_are_written_when_the_work_is_cancelled(written: Callable[[], list[str]]) -> None:
    async def work() -> None:
        with written_together():
            await say("one")
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert written() == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert written() == ["one"]


async def test_sentence_is_written_at_once_elsewhere(written: Callable[[], list[str]]) -> None:
    with written_together():
        pass
    await say("one")
    assert written() == ["one"]
