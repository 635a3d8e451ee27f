"""The two pools of an upgrade, and which instance replaces which (specification section 4, BLUE_GREEN)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    """The pool of the planned instances, and the one that replaces it."""

    old: str
    new: str

    @classmethod
    def for_serving(cls, old: str) -> Self:
        """The pools of an upgrade of ``old``: blue is replaced by green, green by blue."""
        return cls(old, "blue" if old == "green" else "green")

    def size(self, fleet: Fleet, planned: int) -> int:
        """How many instances the new pool has to have: capacity never shrinks."""
        return max(planned, len(fleet.in_pool(self.old)))

    def is_left_over(self, fleet: Fleet, version: str) -> bool:
        """True when a new pool exists from an earlier upgrade, at another version."""
        return any(each.status == "RUNNING" and each.version not in (None, version) for each in fleet.in_pool(self.new))


def counterparts(fleet: Fleet, pools: Pools, rows: Sequence[Instance], version: str) -> dict[str, FleetInstance]:
    """The instance of the new pool that replaces each row's instance, by the row's id.

    The row stores its counterpart (``replacement``) with its first change. Until then the pairing is by order, which is
    stable only once the pool is complete.
    """
    pool = fleet.in_pool(pools.new)
    known = {each.instance_id: each for each in pool}
    known_pairs = {row.instance_id: row.replacement for row in rows if row.replacement is not None}
    found = {planned: known[own] for planned, own in known_pairs.items() if own in known}
    if len(pool) < pools.size(fleet, len(rows)) or pools.is_left_over(fleet, version):
        return found
    open_rows = [row.instance_id for row in rows if row.instance_id not in known_pairs]
    taken = set(known_pairs.values())
    return found | dict(zip(open_rows, [each for each in pool if each.instance_id not in taken], strict=False))


def under_planned_ids(
    fleet: Fleet, pools: Pools, rows: Sequence[Instance], version: str, withdrawn: Collection[str] = ()
) -> Fleet:
    """The new pool under the ids of the planned instances; ``own_id`` has the instance's own id.

    An instance that does not exist yet is shown as DRAINED, so that the rules of every strategy set its version next.
    One in ``withdrawn`` is not wanted any more and is shown as in service at the old version.
    """
    found = counterparts(fleet, pools, rows, version)
    shown = []
    for each in (row.instance_id for row in rows):
        there = None if each in withdrawn else found.get(each)
        before = fleet.find(each)
        status = "RUNNING" if each in withdrawn else "DRAINED"
        missing = FleetInstance(each, before.version if before else None, status, healthy=False, pool=pools.new)
        shown.append(replace(there, instance_id=each, own_id=there.instance_id) if there else missing)
    return replace(fleet, instances=tuple(shown))


def by_serving_pool(rows: Sequence[Instance], batches: Sequence[Batch]) -> list[Instance]:
    """The rows as users see them: until the traffic is switched, a new pool's rows count as PENDING."""
    unused = any(each.kind == BatchKind.GREEN and not each.phase.reached(Phase.SOAK) for each in batches)
    return [replace(each, status=InstanceStatus.PENDING) if unused else each for each in rows]
