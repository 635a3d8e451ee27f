"""What a revert brings back: exactly the instances that are not as they were before the upgrade."""

from dataclasses import replace

import pytest

from tests.unit.domain.builders import make_execution, make_fleet, make_instance, make_request, name
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.revert import Record, Refusal, WayBack, refusal_of, revert_request, way_back

I = InstanceStatus  # noqa: E741 - as in instance.py
OLD, NEW = "3.6.0", "3.7.0"


def found(number: int, version: str | None = NEW, status: str = "RUNNING", healthy: bool = True) -> FleetInstance:
    return FleetInstance(name(number), version, status, healthy=healthy)


def row(number: int, touched: bool = True, before: str | None = OLD) -> Instance:
    status = I.COMPLETED if touched else I.PENDING
    return make_instance(name(number), status, attempts=int(touched), from_version=before)


def back(rows: list[Instance], *fleet: FleetInstance, strategy: Strategy = Strategy.ROLLING) -> WayBack | Refusal:
    return way_back(strategy, OLD, Record.of([rows]), make_fleet(*fleet))


def ids(result: WayBack | Refusal) -> list[str]:
    assert isinstance(result, WayBack), result
    return [each.instance_id for each in result.instances]


@pytest.mark.parametrize(
    "now",
    [found(0), found(0, "3.8.0"), found(0, None), found(0, OLD, "STOPPED", False), found(0, OLD, healthy=False)],
    ids=["target", "another version", "unknown", "stopped", "unhealthy"],
)
def test_revert_includes_an_instance_that_is_not_as_before(now: FleetInstance) -> None:
    assert ids(back([row(0), row(1)], now, found(1, OLD), found(2))) == [name(0)]


def test_revert_leaves_out_instances_that_were_not_touched_and_run_their_version_in_any_health() -> None:
    result = back([row(0), row(1, touched=False)], found(0), found(1, OLD, "STOPPED", healthy=False))
    assert ids(result) == [name(0)]


def test_revert_includes_an_instance_that_others_brought_to_another_version() -> None:
    assert ids(back([row(0, touched=False)], found(0))) == [name(0)]


def test_revert_has_the_own_previous_version_of_each() -> None:
    result = back([row(0), row(1, before="3.5.0")], found(0), found(1))
    assert isinstance(result, WayBack)
    assert result.targets == {name(0): OLD, name(1): "3.5.0"}


def test_revert_names_what_it_leaves_out() -> None:
    result = back([row(0), row(1, before=None), row(2)], found(0), found(1))
    assert isinstance(result, WayBack)
    assert result.warnings == (
        f"left out, not in the fleet any more: {name(2)}",
        f"left as they are, no previous version is recorded: {name(1)}",
    )


def test_revert_with_nothing_to_bring_back_is_refused_and_names_what_is_left_out() -> None:
    assert back([row(0)], found(0, OLD)) == Refusal(
        "nothing to revert: every instance runs the version that it ran before the upgrade"
    )
    refusal = back([row(0), row(1)], found(0, OLD))
    assert isinstance(refusal, Refusal)
    assert f"not in the fleet any more: {name(1)}" in refusal.why


def test_revert_of_blue_green_takes_the_whole_serving_pool() -> None:
    result = back([row(8), row(9)], found(0), found(1), strategy=Strategy.BLUE_GREEN)
    assert ids(result) == [name(0), name(1)]
    assert isinstance(result, WayBack)
    assert set(result.targets.values()) == {OLD}


def test_revert_of_blue_green_has_nothing_to_do_while_the_old_pool_serves() -> None:
    green = replace(found(0), pool="green")
    assert isinstance(back([row(1)], green, found(1, OLD), strategy=Strategy.BLUE_GREEN), Refusal)


@pytest.mark.parametrize("before", ["3.5.0", None])
def test_revert_of_blue_green_is_refused_when_a_pool_cannot_be_as_before(before: str | None) -> None:
    rows = [row(8, before=before)] if before is None else [row(8), row(9, before=before)]
    refusal = back(rows, found(0), strategy=Strategy.BLUE_GREEN)
    assert isinstance(refusal, Refusal)
    assert "create an upgrade" in refusal.why


def test_record_has_the_newest_version_that_is_known_of_the_upgrade_and_those_that_it_retries() -> None:
    newest = [row(0, before="3.6.1"), row(1, before=None)]
    record = Record.of([newest, [row(0), row(1), row(2, touched=False)]])
    assert record.previous == {name(0): "3.6.1", name(1): OLD, name(2): OLD}
    assert record.touched == {name(0), name(1)}


@pytest.mark.parametrize(
    ("strategy", "kept"),
    [
        (Strategy.ROLLING, Strategy.ROLLING),
        (Strategy.CANARY, Strategy.ROLLING),
        (Strategy.STAGED, Strategy.ROLLING),
        (Strategy.RECREATE, Strategy.RECREATE),
        (Strategy.BLUE_GREEN, Strategy.BLUE_GREEN),
    ],
)
def test_request_of_a_revert_swaps_the_versions_and_is_never_rolled_back_by_itself(
    strategy: Strategy, kept: Strategy
) -> None:
    of = make_request(strategy=strategy, stage_percentages=(50, 100), auto_rollback_enabled=True, batch_size=3)
    request = revert_request(of, 7, None)
    assert (request.from_version_id, request.to_version_id) == (of.to_version_id, of.from_version_id)
    assert (request.strategy, request.stage_percentages, request.auto_rollback_enabled) == (kept, None, False)
    assert (request.batch_size, request.total_instances) == (3, 7)


def test_revert_is_refused_after_a_newer_upgrade_and_of_a_revert() -> None:
    done = make_execution(ExecutionStatus.COMPLETED)
    newer, itself = refusal_of(done, "e-2"), refusal_of(replace(done, revert_of="e-0"), None)
    assert refusal_of(done, None) is None
    assert newer is not None
    assert itself is not None
    assert (newer.newer, newer.see, itself.newer, itself.see) == ("e-2", "e-2", None, "e-0")
