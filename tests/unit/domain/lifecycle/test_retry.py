"""A retry takes on exactly the instances that are not healthy at the target version."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import make_execution, make_fleet, make_instance, make_request, name
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.retry import RetryInstances, remainder_of

I = InstanceStatus  # noqa: E741 - as in instance.py
OLD, NEW = "3.6.0", "3.7.0"


def found(number: int, version: str = NEW, status: str = "RUNNING", healthy: bool = True) -> FleetInstance:
    return FleetInstance(name(number), version, status, healthy=healthy)


def rows(*statuses: InstanceStatus) -> list[Instance]:
    return [make_instance(name(number), status) for number, status in enumerate(statuses)]


def left(instances: list[Instance], fleet: Fleet, strategy: Strategy = Strategy.ROLLING) -> RetryInstances:
    request = make_request(strategy=strategy)
    return remainder_of(make_execution(ExecutionStatus.FAILED, request=request), instances, fleet)


def ids(result: RetryInstances) -> list[str]:
    return [each.instance_id for each in result.instances]


@pytest.mark.parametrize("status", sorted(set(I) - {I.COMPLETED}))
def test_retry_includes_instances_that_did_not_complete_and_no_completed_one(status: InstanceStatus) -> None:
    result = left(rows(I.COMPLETED, status), make_fleet(found(0), found(1, OLD)))
    assert ids(result) == [name(1)]
    assert (result.findings.blockers, result.findings.warnings) == ((), ())


@pytest.mark.parametrize(
    "now",
    [found(0, OLD), found(0, status="STOPPED", healthy=False), found(0, healthy=False), found(0, status="DRAINED")],
    ids=["another version", "stopped", "unhealthy", "drained"],
)
def test_retry_includes_a_completed_instance_that_is_no_longer_healthy_at_the_target(now: FleetInstance) -> None:
    assert ids(left(rows(I.COMPLETED, I.COMPLETED), make_fleet(now, found(1)))) == [name(0)]


def test_retry_is_blocked_when_no_instance_is_left() -> None:
    result = left(rows(I.COMPLETED, I.COMPLETED), make_fleet(found(0), found(1)))
    assert ids(result) == []
    assert result.findings.blockers == ("nothing is left to retry: every instance completed",)


def test_retry_does_not_include_an_instance_that_was_not_planned() -> None:
    assert ids(left(rows(I.FAILED), make_fleet(found(0, OLD), found(1, OLD)))) == [name(0)]


def test_retry_omits_a_missing_instance_with_a_warning() -> None:
    result = left(rows(I.FAILED, I.COMPLETED, I.FAILED), make_fleet(found(2, OLD)))
    assert ids(result) == [name(2)]
    assert result.findings.warnings == (f"left out, not in the fleet any more: {name(0)}, {name(1)}",)
    only = left(rows(I.FAILED, I.COMPLETED), make_fleet(found(1)))
    assert only.findings.blockers == ("nothing is left to retry: every instance that is still in the fleet completed",)


def test_retry_treats_an_instance_outside_the_serving_pool_as_missing() -> None:
    result = left(rows(I.FAILED, I.FAILED), make_fleet(replace(found(0, OLD), pool="green"), found(1, OLD)))
    assert (ids(result), len(result.findings.warnings)) == ([name(1)], 1)


def test_retry_of_blue_green_includes_the_whole_serving_pool() -> None:
    fleet = make_fleet(found(0), found(1, OLD), found(2), replace(found(3), pool="green"))
    assert ids(left(rows(I.COMPLETED, I.FAILED), fleet, Strategy.BLUE_GREEN)) == [name(0), name(1), name(2)]
    assert ids(left(rows(I.COMPLETED, I.FAILED), fleet)) == [name(1)]


def test_retry_of_blue_green_has_nothing_left_once_the_new_pool_serves() -> None:
    fleet = make_fleet(*(replace(found(number, OLD), pool="blue") for number in (0, 1)), found(2), found(3))
    serving = replace(
        fleet, instances=(*fleet.instances[:2], *(replace(each, pool="green") for each in fleet.instances[2:]))
    )
    result = left(rows(I.FAILED, I.FAILED), replace(serving, traffic="green"), Strategy.BLUE_GREEN)
    assert (ids(result), len(result.findings.blockers)) == ([], 1)


def test_retry_keeps_the_order_of_the_fleet() -> None:
    fleet = make_fleet(found(2, OLD), found(0, OLD), found(1, OLD))
    assert ids(left(rows(I.FAILED, I.FAILED, I.FAILED), fleet)) == [name(2), name(0), name(1)]


def test_retry_keeps_the_previous_version_from_before_the_ended_upgrade() -> None:
    before = [make_instance(name(0), I.FAILED, from_version="3.5.0"), make_instance(name(1), I.FAILED)]
    result = left(before, make_fleet(found(0, healthy=False), found(1, "3.6.1")))
    assert result.previous == {name(0): "3.5.0", name(1): "3.6.1"}


# fault 14
def test_retry_leaves_out_an_instance_that_others_had_drained_and_that_was_drained_again() -> None:
    completed = [replace(each, drained_before=True) for each in rows(I.COMPLETED)]
    drained = make_fleet(found(0, status="DRAINED"))
    assert left(completed, drained).findings.blockers
