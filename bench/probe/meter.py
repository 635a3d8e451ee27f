"""What a process has used, and the file that the probe writes it to."""

import json
import os
import resource
import time
from typing import Any, NamedTuple, Self


class Spent(NamedTuple):
    """CPU seconds (user and system), minor page faults, and wall seconds."""

    cpu: float
    faults: int
    wall: float

    @classmethod
    def by_this_process(cls) -> Self:
        """Used by this process since it began; wall seconds are of a clock that all processes of the machine share."""
        return cls._of(resource.RUSAGE_SELF)

    @classmethod
    def by_ended_children(cls) -> Self:
        """What this process has collected from its ended children."""
        return cls._of(resource.RUSAGE_CHILDREN)

    @classmethod
    def _of(cls, whom: int) -> Self:
        used = resource.getrusage(whom)
        return cls(used.ru_utime + used.ru_stime, used.ru_minflt, time.monotonic())

    def since(self, before: "Spent") -> "Spent":
        """What was used from ``before`` up to this reading."""
        return Spent(self.cpu - before.cpu, self.faults - before.faults, self.wall - before.wall)


def write_line(line: dict[str, Any]) -> None:
    """Append a line to the file that BENCH_COSTS names; in one write, so that lines of several processes do not mix."""
    text = json.dumps(line) + "\n"
    handle = os.open(os.environ["BENCH_COSTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
