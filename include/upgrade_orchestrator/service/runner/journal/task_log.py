"""The log of a task: plain sentences, each with the same beginning and ``name=value`` pairs wherever it is written.

Written through Python's logging, which Airflow brings to the task's log in a worker and in the triggerer alike: there a
context variable says whose line it is, so it must be written in the asyncio task of the trigger or in one begun by it.
"""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import Hashable

log = logging.getLogger("upgrade_orchestrator.task")

REPEATED_SECONDS = 60.0
"How often what goes on being the case is logged again, with the number of times that it was met."


class TaskLog:
    """The sentences of one runner; what has been said already is not said in every round."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[Hashable, float, int]] = {}

    def say(self, sentence: str, level: int = logging.INFO) -> None:
        """Write the sentence; further lines of it are indented, so that each line of the log begins one."""
        if log.isEnabledFor(level):
            log.log(level, "%s", sentence.replace("\n", "\n  | ") if "\n" in sentence else sentence)

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
