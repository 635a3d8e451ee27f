"""Two pools side by side: what the new one is called, and which instance stands for which (section 4, BLUE_GREEN)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import Batch, Phase
from upgrade_orchestrator.domain.plan.plan import BatchKind

GREEN_BATCH = 1
"A blue-green plan has one batch: the new pool."


@dataclass(frozen=True, slots=True)
class Pools:
    """The pool of the planned instances, and the one that takes its place."""

    old: str
    new: str

    @classmethod
    def beside(cls, old: str) -> Self:
        """The pools of an upgrade of ``old``: blue and green take turns."""
        return cls(old, "blue" if old == "green" else "green")

    def size(self, fleet: Fleet, planned: int) -> int:
        """How many instances the new pool has to have: capacity never shrinks."""
        return max(planned, len(fleet.in_pool(self.old)))

    def is_left_over(self, fleet: Fleet, version: str) -> bool:
        """True when the new pool is there from before, at a version that is not wanted."""
        return any(each.status == "RUNNING" and each.version != version for each in fleet.in_pool(self.new))


def counterparts(fleet: Fleet, pools: Pools, planned: Sequence[str], version: str) -> Mapping[str, FleetInstance]:
    """The instance of the new pool for each planned one; none while the pool is not all there.

    Which stands for which would change while instances are still appearing.
    """
    found = fleet.in_pool(pools.new)
    if len(found) < pools.size(fleet, len(planned)) or pools.is_left_over(fleet, version):
        return {}
    return dict(zip(planned, found, strict=False))


def as_planned(fleet: Fleet, pools: Pools, planned: Sequence[str], version: str, let_go: Collection[str] = ()) -> Fleet:
    """The new pool under the ids of the planned instances.

    One that is not there yet is shown DRAINED, so that the rules of any upgrade give it its version; one that was
    ``let_go`` is shown as its row should be: in service at the old version.
    """
    found = counterparts(fleet, pools, planned, version)
    shown = []
    for each in planned:
        there = None if each in let_go else found.get(each)
        before = fleet.find(each)
        status = "RUNNING" if each in let_go else "DRAINED"
        missing = FleetInstance(each, before.version if before else "", status, healthy=False, pool=pools.new)
        shown.append(replace(there, instance_id=each) if there else missing)
    return replace(fleet, instances=tuple(shown))


def as_served(rows: Sequence[Instance], batches: Sequence[Batch]) -> list[Instance]:
    """The rows by what serves: before the switch nothing of a new pool does."""
    unused = any(each.kind == BatchKind.GREEN and not each.phase.reached(Phase.SOAK) for each in batches)
    return [replace(each, status=InstanceStatus.PENDING) if unused else each for each in rows]
