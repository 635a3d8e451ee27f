"""The log of a task: plain sentences, each with the same beginning and ``name=value`` pairs wherever it is written.

Written through Python's logging, which Airflow brings to the task's log in a worker and in the triggerer alike: there a
context variable says whose line it is, so it must be written in the asyncio task of the trigger or in one begun by it.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle, get_running_loop
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger("upgrade_orchestrator.task")

HELD_SECONDS = 0.5
"For how long sentences are held where they are written together."

REPEATED_SECONDS = 60.0
"How often what goes on being the case is logged again, with the number of times that it was met."


class _Held:
    """Sentences that wait for others, to be written in their order."""

    def __init__(self) -> None:
        self._sentences: list[tuple[int, str]] = []
        self._timer: TimerHandle | None = None

    def add(self, level: int, sentence: str) -> None:
        self._sentences.append((level, sentence))
        if level > logging.INFO:
            self.write()
        elif self._timer is None:
            self._timer = get_running_loop().call_later(HELD_SECONDS, self.write)

    def write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        held, self._sentences, self._timer = self._sentences, [], None
        for level, sentence in held:
            log.log(level, "%s", sentence)


_held: ContextVar[_Held | None] = ContextVar("held sentences", default=None)


@contextmanager
def written_together() -> Iterator[None]:
    """Hold what is said in the block for up to ``HELD_SECONDS``; a warning is written at once, with what came before.

    Airflow's triggerer takes a turn over all its triggers whenever one of them logs, which costs more than the line.
    """
    held = _Held()
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
        held.write()


class TaskLog:
    """The sentences of one runner; what has been said already is not said in every round."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[Hashable, float, int]] = {}

    def say(self, sentence: str, level: int = logging.INFO) -> None:
        """Write the sentence; further lines of it are indented, so that each line of the log begins one."""
        if not log.isEnabledFor(level):
            return
        indented, held = sentence.replace("\n", "\n  | ") if "\n" in sentence else sentence, _held.get()
        if held is None:
            log.log(level, "%s", indented)
        else:
            held.add(level, indented)

    def once(
        self, about: Hashable, same: Hashable, sentence: str, level: int = logging.INFO, again: float = REPEATED_SECONDS
    ) -> None:
        """Write the sentence unless the last one ``about`` this was the ``same``, less than ``again`` seconds ago."""
        now = get_running_loop().time()
        last, said_at, times = self._last.get(about, (None, now, 0))
        if times and last == same and now - said_at < again:
            self._last[about] = (same, said_at, times + 1)
            return
        still = bool(times) and last == same
        self._last[about] = (same, now, times + 1 if still else 1)
        self.say(f"{sentence}; still so after {times + 1} looks" if still else sentence, level)

    def over(self, about: Hashable) -> int:
        """Forget what was said about this; how often it was met."""
        before = self._last.pop(about, None)
        return 0 if before is None else before[2]
