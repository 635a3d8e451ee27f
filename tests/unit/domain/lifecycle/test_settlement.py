"""The final count of an ended execution, and the only place that settles one (specification section 4, letting go)."""

from dataclasses import replace

import pytest

from tests.architecture.sources import python_files, relative
from tests.unit.domain.builders import NOW, make_execution
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.lifecycle.settlement import FinalCount, given_up, settled

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
ROW = Instance("i-1", batch=1, position=0, status=I.PENDING, from_version="3.6.0", to_version="3.7.0")


@pytest.mark.parametrize(
    ("status", "revert", "version"),
    [
        (I.PENDING, None, "3.6.0"),
        (I.DRAINING, None, "unknown"),
        (I.UPGRADING, None, "unknown"),
        (I.HEALTH_CHECKING, None, "unknown"),
        (I.COMPLETED, None, "3.7.0"),
        (I.FAILED, None, "unknown"),
        (I.ROLLED_BACK, I.COMPLETED, "3.6.0"),
        (I.COMPLETED, I.UPGRADING, "unknown"),
        (I.COMPLETED, I.FAILED, "unknown"),
    ],
)
def test_row_counts_as_the_version_that_is_certain(status: I, revert: I | None, version: str) -> None:  # type: ignore[valid-type]
    count = FinalCount.of_rows([replace(ROW, status=status, revert=revert)])
    assert (count.versions, count.fleet_seen) == ({version: 1}, False)


def test_fleet_is_counted_by_the_pool_that_serves() -> None:
    def one(name: str, version: str, pool: str) -> FleetInstance:
        return FleetInstance(name, version, "RUNNING", healthy=True, pool=pool)

    fleet = Fleet("f", (one("a", "3.7.0", "green"), one("b", "3.6.0", "green"), one("c", "3.6.0", "blue")), 0, "green")
    count = FinalCount.of_fleet(fleet)
    assert (count.versions, count.fleet_seen, str(count)) == (
        {"3.6.0": 1, "3.7.0": 1},
        True,
        "1 on 3.6.0, 1 on 3.7.0",
    )


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (FinalCount({"3.6.0": 2}, fleet_seen=True), "why; in the end 2 on 3.6.0"),
        (
            FinalCount({"3.6.0": 1, "unknown": 1}, unseen="the agent is gone"),
            "why; the agent is gone; by the record 1 on 3.6.0, 1 unknown",
        ),
    ],
)
def test_reason_says_the_final_count(count: FinalCount, reason: str) -> None:
    moved, _ = settled(make_execution(S.FAILED, status_reason="why"), count, NOW)
    assert (moved.status_reason, moved.settled_at) == (reason, NOW)


def test_reason_that_has_the_final_count_is_not_changed() -> None:
    ended = make_execution(S.CANCELLED, status_reason="cancelled by olga; 2 on 3.6.0")
    assert settled(ended, FinalCount({"3.6.0": 2}), NOW)[0].status_reason == ended.status_reason


@pytest.mark.parametrize(("version", "mixed"), [("3.6.0", False), ("3.7.0", True), (None, True)])
def test_count_is_mixed_unless_all_run_the_current_version(version: str | None, mixed: bool) -> None:
    assert (FinalCount({"3.6.0": 2}).mixed(version) is not None) is mixed


def test_instance_in_flight_is_given_up_as_failed_forward_and_back() -> None:
    forward, none = given_up(replace(ROW, status=I.UPGRADING), None, "released", NOW)
    assert (forward.status, forward.error, none) == (I.FAILED, "released", None)
    job = replace(ROW, status=I.DRAINING, batch=0)
    back, left = given_up(replace(ROW, status=I.COMPLETED, revert=I.DRAINING), job, "released", NOW)
    assert (back.status, back.revert, back.in_flight) == (I.COMPLETED, I.FAILED, False)
    assert left is not None
    assert left.status is I.FAILED


def test_one_function_settles_executions() -> None:
    setting = [
        relative(each)
        for each in python_files("include")
        if "settled_at=" in each.read_text(encoding="utf-8").replace("settled_at=None", "")
    ]
    assert setting == ["include/upgrade_orchestrator/domain/lifecycle/settlement.py"]


def test_settled_execution_needs_no_attention_any_more() -> None:
    stuck = make_execution(S.FAILED, attention=Attention("FLEET_UNREACHABLE", NOW, "no answer", 7))
    moved, _ = settled(stuck, FinalCount.of_rows([ROW]), NOW)
    assert moved.attention is None
