"""What a fleet looks like when asked: instances, pools, capacity (contract section 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FleetInstance:
    """One instance as the fleet reports it; ``status`` is RUNNING, DRAINING, DRAINED, UPGRADING or STOPPED."""

    instance_id: str
    version: str
    status: str
    healthy: bool
    leader: bool = False
    pool: str = "blue"
    own_id: str | None = None
    """Its own id, where it is shown under that of the instance whose place it takes (BLUE_GREEN)."""

    @property
    def available(self) -> bool:
        """True when it serves: running and healthy."""
        return self.healthy and self.status == "RUNNING"

    def runs(self, version: str) -> bool:
        """True when it is up (undrained) at ``version``."""
        return self.status == "RUNNING" and self.version == version


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of an instance's own health endpoint."""

    healthy: bool
    version: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All instances of a deployment in the fleet's own order; ``free_instances`` is room for new ones."""

    name: str
    instances: tuple[FleetInstance, ...]
    free_instances: int
    traffic: str

    def serving(self) -> tuple[FleetInstance, ...]:
        """The instances of the pool that has the traffic."""
        return self.in_pool(self.traffic)

    def in_pool(self, pool: str) -> tuple[FleetInstance, ...]:
        """The instances of ``pool``; none when there is no such pool."""
        return tuple(each for each in self.instances if each.pool == pool)

    def mixed(self, version: str | None) -> dict[str, int] | None:
        """How many instances that serve are on which version; None when all of them are on ``version``."""
        counts = Counter(each.version for each in self.serving())
        return None if counts.keys() == {version} else dict(counts)

    def find(self, instance_id: str) -> FleetInstance | None:
        """The instance of that id, or None when the fleet does not know it any more."""
        return next((each for each in self.instances if each.instance_id == instance_id), None)

    def unavailable(self, wanted: Iterable[str]) -> frozenset[str]:
        """The ids that do not serve now: reported as down, or wanted and not in the fleet any more."""
        known = {each.instance_id for each in self.instances}
        down = {each.instance_id for each in self.instances if each.pool == self.traffic and not each.available}
        return frozenset(down | (set(wanted) - known))
