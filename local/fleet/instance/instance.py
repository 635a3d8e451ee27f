"""One instance of a fleet, as the agent sees it (specification section 11)."""

import asyncio
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from local.fleet.instance.process import Process


class Status(StrEnum):
    """The protocol's five statuses."""

    RUNNING = "RUNNING"
    DRAINING = "DRAINING"
    DRAINED = "DRAINED"
    UPGRADING = "UPGRADING"
    STOPPED = "STOPPED"


WITH_PROCESS = frozenset({Status.RUNNING, Status.DRAINING, Status.DRAINED})


@dataclass(eq=False, slots=True)
class Instance:
    """Its recorded state, and its process and running transition, which are not recorded.

    `healthy` is the newest answer of the process, got at `asked_at` (seconds, monotonic); `born_unhealthy` means that
    its upgrade went wrong in that way, until the next one. `failure` is the output of an upgrade that failed.
    """

    id: str
    pool: str
    version: str
    status: Status
    healthy: bool = False
    born_unhealthy: bool = False
    failure: str = ""
    process: Process | None = None
    asked_at: float = -math.inf
    work: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """Whether it serves."""
        return self.status is Status.RUNNING and self.healthy

    def body(self, leader: str | None) -> dict[str, Any]:
        """The protocol's Instance."""
        return {
            "id": self.id,
            "version": self.version,
            "status": self.status.value,
            "healthy": self.healthy,
            "leader": self.id == leader,
            "pool": self.pool,
        }


@lru_cache(maxsize=10_000)
def natural(name: str) -> tuple[str | int, ...]:
    """A sort key that puts demo-2 before demo-10."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name))
