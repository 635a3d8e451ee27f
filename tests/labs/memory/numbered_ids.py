"""Ids that are the same in every run: in the order of their creation, independent of the machine's clock."""

import itertools
from collections.abc import Callable
from datetime import datetime
from uuid import UUID


def numbered_ids(now: Callable[[], datetime]) -> Callable[[], str]:
    """Makes UUIDs of version 7 with the milliseconds of that clock, and a number instead of random bits."""
    numbers = itertools.count(1)

    def new_id() -> str:
        milliseconds = int(now().timestamp() * 1000)
        return str(UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | next(numbers)))

    return new_id
