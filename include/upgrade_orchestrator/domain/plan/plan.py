"""The frozen plan: the instances in order, their batches, and the budget (specification section 4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise

from upgrade_orchestrator.domain.execution.canary import canary_count
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.plan.budget import budget_of, concurrency

WITHOUT_BUDGET = frozenset({Strategy.RECREATE, Strategy.BLUE_GREEN})
SECONDS_A_WAVE = 30
"Assumed duration of one wave of instances when the path has none; only used for estimates."


class BatchKind(StrEnum):
    """The purpose of a batch."""

    CANARY = "CANARY"
    "The first instances of a CANARY upgrade, which are monitored before the others follow."
    BATCH = "BATCH"
    "Up to ``batchSize`` instances of a ROLLING upgrade, or of a CANARY upgrade after its canaries."
    STAGE = "STAGE"
    "The instances of one stage of a STAGED upgrade; all but the first stage need an approval."
    GREEN = "GREEN"
    "The new pool of a BLUE_GREEN upgrade, which replaces all planned instances."
    ALL = "ALL"
    "All instances at once: RECREATE."


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """Instances that are upgraded together; numbers start at 1."""

    number: int
    kind: BatchKind
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan; ``budget`` is None where the strategy has none, times are in seconds."""

    strategy: Strategy
    instances: tuple[str, ...]
    canary: tuple[str, ...]
    batches: tuple[PlannedBatch, ...]
    budget: int | None
    batch_size: int
    batch_delay_seconds: int
    soak_seconds: int
    health_check_timeout_seconds: int
    estimated_seconds: int
    pool: str = "blue"
    """The pool of these instances, which a BLUE_GREEN upgrade replaces by the other one."""

    @property
    def hash(self) -> str:
        """SHA-256 of the plan's content (hex); an approval is valid for this hash only."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def order_instances(fleet: Iterable[FleetInstance]) -> list[FleetInstance]:
    """Unhealthy instances first, then the others in the fleet's order, healthy leaders last."""
    # An unhealthy leader goes first with the unhealthy: until it is upgraded it takes budget from the others.
    return sorted(fleet, key=lambda each: (each.available, each.leader))


def make_plan(
    request: UpgradeRequest,
    fleet: Sequence[FleetInstance],
    path_minutes: int | None = None,
    budget_total: int | None = None,
) -> Plan:
    """The plan of ``request`` for ``fleet``; with fewer instances than the fleet has, for the first ones in order.

    ``budget_total``: of how many instances the budget is a percentage; None: of those planned.

    :raises ValueError: the fleet has fewer instances than requested.
    """
    total = request.total_instances if request.total_instances is not None else len(fleet)
    if not 1 <= total <= len(fleet):
        raise ValueError(f"the fleet has {len(fleet)} instances, {total} are wanted")
    instances = tuple(each.instance_id for each in order_instances(fleet)[:total])
    canary = instances[: canary_count(total, request.canary_percentage)] if _is_canary(request) else ()
    batches = _number(_batches(request, instances, canary))
    budgeted = request.strategy not in WITHOUT_BUDGET
    budget = budget_of(budget_total or total, request.max_unavailable_percentage) if budgeted else None
    return Plan(
        strategy=request.strategy,
        instances=instances,
        canary=canary,
        batches=batches,
        budget=budget,
        batch_size=request.batch_size,
        batch_delay_seconds=request.batch_delay_seconds,
        soak_seconds=request.soak_seconds,
        health_check_timeout_seconds=request.health_check_timeout_seconds,
        estimated_seconds=_estimate(request, batches, budget, path_minutes),
        pool=fleet[0].pool,
    )


def _is_canary(request: UpgradeRequest) -> bool:
    return request.strategy is Strategy.CANARY


_Batches = list[tuple[BatchKind, tuple[str, ...]]]


def _batches(request: UpgradeRequest, instances: tuple[str, ...], canary: tuple[str, ...]) -> _Batches:
    match request.strategy:
        case Strategy.RECREATE:
            return [(BatchKind.ALL, instances)]
        case Strategy.BLUE_GREEN:
            return [(BatchKind.GREEN, instances)]
        case Strategy.STAGED:
            return [(BatchKind.STAGE, part) for part in _stages(request, instances)]
        case Strategy.CANARY:
            rest = _chunks(instances[len(canary) :], request.batch_size)
            return [(BatchKind.CANARY, canary), *((BatchKind.BATCH, part) for part in rest)]
        case Strategy.ROLLING:
            return [(BatchKind.BATCH, part) for part in _chunks(instances, request.batch_size)]


def _stages(request: UpgradeRequest, instances: tuple[str, ...]) -> list[tuple[str, ...]]:
    if request.stage_percentages is None:
        return _chunks(instances, request.batch_size)
    ends = [max(1, len(instances) * percent // 100) for percent in request.stage_percentages]
    parts = [instances[start:end] for start, end in pairwise([0, *ends])]
    return [part for part in parts if part]  # a small fleet can have fewer stages than percentages


def _chunks(instances: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [instances[start : start + size] for start in range(0, len(instances), size)]


def _number(batches: _Batches) -> tuple[PlannedBatch, ...]:
    return tuple(PlannedBatch(number, kind, part) for number, (kind, part) in enumerate(batches, start=1))


def _estimate(
    request: UpgradeRequest, batches: Sequence[PlannedBatch], budget: int | None, path_minutes: int | None
) -> int:
    waits = request.batch_delay_seconds * (len(batches) - 1) + request.soak_seconds * len(batches)
    if path_minutes is not None:
        return path_minutes * 60 + waits
    sizes = [len(batch.instances) for batch in batches]
    waves = sum(-(-size // concurrency(size, request.batch_size, budget)) for size in sizes)
    return waves * SECONDS_A_WAVE + waits
