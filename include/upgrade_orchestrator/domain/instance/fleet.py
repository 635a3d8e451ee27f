"""A fleet as its agent reports it: instances, pools, capacity (specification section 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN = "unknown"
"What texts and counts say instead of a version that the fleet does not tell."


def named_version(version: str | None) -> str:
    """The version in words."""
    return UNKNOWN if version is None else version


OTHERS, MOST_COUNTED = "others", 50
"A count has the most frequent versions; all further ones are counted together."


def counted(versions: Iterable[str | None]) -> dict[str, int]:
    """How many instances run which version, in the order of the versions."""
    frequent = Counter(map(named_version, versions)).most_common()
    counts, further = dict(sorted(frequent[:MOST_COUNTED])), sum(count for _, count in frequent[MOST_COUNTED:])
    return counts | ({OTHERS: further} if further else {})


@dataclass(frozen=True, slots=True)
class FleetInstance:
    """One instance as the fleet reports it; ``status`` is RUNNING, DRAINING, DRAINED, UPGRADING or STOPPED.

    ``version`` None: unknown. That is never the version that an upgrade wants.
    """

    instance_id: str
    version: str | None
    status: str
    healthy: bool
    leader: bool = False
    pool: str = "blue"
    reported: str | None = None
    """The version as the fleet spells it, where that differs from ``version``."""
    own_id: str | None = None
    """Its own id, where it is shown under that of the instance that it replaces (BLUE_GREEN)."""

    @property
    def available(self) -> bool:
        """True when the instance serves: it is running and healthy."""
        return self.healthy and self.status == "RUNNING"

    @property
    def out_of_service(self) -> bool:
        """True when it is draining or drained."""
        return self.status in ("DRAINING", "DRAINED")

    @property
    def is_up(self) -> bool:
        """True when it runs, in service or not."""
        return self.status == "RUNNING" or self.out_of_service

    def runs(self, version: str) -> bool:
        """True when the instance is running (not drained) at ``version``."""
        return self.status == "RUNNING" and self.version == version

    def is_well_at(self, version: str) -> bool:
        """True when it is healthy at ``version``, in service or drained."""
        return self.healthy and self.version == version and self.is_up


@dataclass(frozen=True, slots=True)
class Health:
    """The response of an instance's own health endpoint; ``version`` None: unknown."""

    healthy: bool
    version: str | None
    detail: str = ""
    reported: str | None = None
    """The version as the instance spells it, where that differs from ``version``."""

    def described(self) -> str:
        """Why it is not as wanted, in words."""
        return self.detail or f"reports version {named_version(self.version)}, healthy: {self.healthy}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """All instances of a deployment in the fleet's order; ``free_instances`` is how many more would fit."""

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
        """The number of serving instances by version; None when all of them are on ``version``."""
        counts = counted(each.version for each in self.serving())
        return None if counts.keys() == {version} else counts

    def find(self, instance_id: str) -> FleetInstance | None:
        """The instance with that id; None when it is no longer in the fleet."""
        return next((each for each in self.instances if each.instance_id == instance_id), None)

    def unavailable(self, wanted: Iterable[str]) -> frozenset[str]:
        """The ids of instances that do not serve: reported as down, or in ``wanted`` but no longer in the fleet."""
        known = {each.instance_id for each in self.instances}
        down = {each.instance_id for each in self.instances if each.pool == self.traffic and not each.available}
        return frozenset(down | (set(wanted) - known))
