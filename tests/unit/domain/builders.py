"""Values of the domain with everything filled in, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy, UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.plan import Plan, make_plan

NOW = datetime(2031, 5, 17, 12, 0, tzinfo=UTC)
OPERATOR = Actor("olga")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def make_request(**fields: Any) -> UpgradeRequest:
    request = UpgradeRequest(component_id="aaa-111", from_version_id="bbb-222", to_version_id="ccc-333")
    return replace(request, **fields)


def make_execution(status: ExecutionStatus = ExecutionStatus.PENDING, **fields: Any) -> Execution:
    execution = Execution(
        id="e-1",
        tenant_id="550e8400",
        request=make_request(),
        total_instances=20,
        from_version="3.6.0",
        to_version="3.7.0",
        plan_hash="0" * 64,
        created_by="olga",
        created_at=NOW,
        status=status,
    )
    return replace(execution, **fields)


def make_instance(
    instance_id: str = "i-01", status: InstanceStatus = InstanceStatus.PENDING, **fields: Any
) -> Instance:
    instance = Instance(
        instance_id, batch=1, position=0, status=status, from_version="3.6.0", to_version="3.7.0", attempts=0
    )
    return replace(instance, **fields)


def name(index: int) -> str:
    return f"i-{index:02d}"


def fleet_of(count: int, unhealthy: tuple[int, ...] = (), leaders: tuple[int, ...] = ()) -> list[FleetInstance]:
    """Instances i-00, i-01, … in the fleet's order, some of them unhealthy."""
    return [
        FleetInstance(name(each), "3.6.0", "RUNNING", healthy=each not in unhealthy, leader=each in leaders)
        for each in range(count)
    ]


def make_fleet(*instances: FleetInstance, free: int = 0) -> Fleet:
    return Fleet("kafka-demo", instances, free_instances=free, traffic="blue")


def planned(count: int, **fields: Any) -> Plan:
    return make_plan(make_request(**fields), fleet_of(count))


@st.composite
def fleets(draw: st.DrawFn, max_size: int = 40) -> list[FleetInstance]:
    """Fleets of any health, with leaders anywhere."""
    flags = draw(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=max_size))
    return [
        FleetInstance(name(index), "3.6.0", "RUNNING", healthy=healthy, leader=leader)
        for index, (healthy, leader) in enumerate(flags)
    ]


@st.composite
def requests(draw: st.DrawFn, fleet_size: int) -> UpgradeRequest:
    """Requests over the whole fleet or a part of it, every strategy."""
    rising = st.lists(st.integers(1, 99), max_size=4, unique=True).map(lambda part: (*sorted(part), 100))
    return make_request(
        strategy=draw(st.sampled_from(Strategy)),
        canary_percentage=draw(st.integers(1, 100)),
        batch_size=draw(st.integers(1, 12)),
        max_unavailable_percentage=draw(st.integers(1, 100)),
        total_instances=draw(st.none() | st.integers(1, fleet_size)),
        stage_percentages=draw(st.none() | rising),
        soak_seconds=draw(st.sampled_from([0, 30])),
    )
