"""Forth and back between two pools, step by step, each with its negative twin (contract section 4, BLUE_GREEN)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.domain.builders import NOW, after, fleet_of, make_execution, make_fleet, make_instance, name
from tests.unit.domain.plan.test_pools import green_of
from upgrade_orchestrator.domain.blue_green.actions import (
    GiveUp,
    GoalReached,
    MarkRolledBack,
    PollAgain,
    PoolAction,
    PoolCall,
    PoolView,
    RecordUnhealthy,
    SaveBatch,
    SendPoolOrder,
    WaitFor,
)
from upgrade_orchestrator.domain.blue_green.cutover import Goal, next_cutover_action
from upgrade_orchestrator.domain.blue_green.revert import RevertGoal, next_revert_action, revert_goal_of
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.lifecycle.transitions import shift_due_times
from upgrade_orchestrator.domain.plan.batch import Batch, Phase, watched
from upgrade_orchestrator.domain.plan.pools import Pools

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain
WELL, ILL = Health(True, "3.7.0"), Health(False, "3.7.0", "out of memory")
GREEN = Batch(1, "GREEN", completed_at=NOW)
CHECKED = replace(GREEN, phase=Phase.SWITCH, phase_started_at=NOW)
SWITCHED = replace(GREEN, phase=Phase.SOAK, phase_started_at=NOW, healthy_seconds=0.0)
SOAKED = replace(GREEN, phase=Phase.RETIRE, phase_started_at=after(60))


def fleet(traffic: str = "blue", blue: int = 2, green: int = 2, **fields: Any) -> Fleet:
    return replace(make_fleet(*fleet_of(blue), *green_of(green, **fields)), traffic=traffic)


def view(found: Fleet | None, batch: Batch = GREEN, **fields: Any) -> PoolView:
    """Two instances, a soak of 60 s, 30 s for each step; all instances are healthy by default."""
    made = PoolView(
        execution=make_execution(S.IN_PROGRESS),
        batch=batch,
        rows=[make_instance(name(each), I.COMPLETED, attempts=1) for each in range(2)],
        pools=Pools("blue", "green"),
        fleet=found,
        answers={each.instance_id: WELL for each in found.in_pool("green")} if found else {},
        soak=60,
        timeout=30,
    )
    return replace(made, **fields)


def forth(found: Fleet | None, goal: Goal, batch: Batch = GREEN, seconds: float = 0, **fields: Any) -> PoolAction:
    """The next action towards ``goal`` after ``seconds`` watched seconds."""
    return next_cutover_action(view(found, watched(batch, seconds), **fields), goal, after(seconds))


def order(step: PoolAction) -> tuple[PoolCall, str]:
    assert isinstance(step, SendPoolOrder)
    return step.call, step.pool


# -- forth -----------------------------------------------------------------------------------------------------------


def test_healthy_pool_is_checked_and_then_gets_the_traffic() -> None:
    assert forth(fleet(), Goal.CHECKED) == SaveBatch(CHECKED)
    assert forth(fleet(), Goal.CHECKED, CHECKED) == GoalReached()
    assert order(forth(fleet(), Goal.SWITCHED, CHECKED)) == (PoolCall.SWITCH, "green")


def test_pool_that_became_unhealthy_after_its_check_does_not_get_the_traffic() -> None:
    step = forth(fleet(), Goal.SWITCHED, CHECKED, answers={"g-00": WELL, "g-01": ILL})
    assert isinstance(step, WaitFor)
    assert isinstance(step.on_timeout, GiveUp)
    assert step.on_timeout.phase == "SWITCH"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"g-00": WELL, "g-01": ILL}, "g-01: out of memory"),
        ({"g-00": WELL, "g-01": Health(True, "3.6.0")}, "g-01: reports version 3.6.0, healthy: True"),
        ({"g-00": WELL, "g-01": None}, "g-01: does not answer"),
    ],
)
def test_unhealthy_pool_is_waited_for_and_fails_the_check_after_the_time_out(
    answers: dict[str, Health | None], said: str
) -> None:
    step = forth(fleet(), Goal.SWITCHED, answers=answers)
    assert isinstance(step, WaitFor)
    assert isinstance(step.on_timeout, GiveUp)
    assert (step.what.endswith(said), step.on_timeout.phase) == (True, "CHECK")


def test_pool_that_is_smaller_than_the_old_one_does_not_get_the_traffic() -> None:
    step = forth(fleet(blue=3), Goal.SWITCHED)
    assert isinstance(step, WaitFor)
    assert "pool green: has 2 instances, 3 are wanted" in step.what


def test_failed_instance_fails_the_check_at_once() -> None:
    rows = [make_instance("i-00", I.COMPLETED), make_instance("i-01", I.FAILED, error="is stopped")]
    step = forth(fleet(), Goal.CHECKED, rows=rows)
    assert step == GiveUp("CHECK", "pool green did not come up: i-01 FAILED: is stopped")


def test_switch_is_recorded_once_observed_and_the_soak_begins() -> None:
    step = forth(fleet("green"), Goal.SWITCHED, seconds=5)
    assert step == SaveBatch(replace(SWITCHED, phase_started_at=after(5)))
    assert forth(fleet("green"), Goal.SWITCHED, SWITCHED) == GoalReached()


@pytest.mark.parametrize(
    ("batch", "traffic", "phase"),
    [(SWITCHED, "blue", "SOAK"), (SOAKED, "blue", "RETIRE"), (GREEN, "red", "CHECK")],
)
def test_traffic_switched_by_another_party_is_a_failure_after_the_time_out(
    batch: Batch, traffic: str, phase: str
) -> None:
    step = forth(fleet(traffic), Goal.RETIRED, batch)
    assert isinstance(step, WaitFor)  # one look decides nothing
    assert step.on_timeout == GiveUp(phase, f"something else switched the traffic to pool {traffic}")


def test_soak_goes_on_when_the_traffic_is_back() -> None:
    away = replace(SWITCHED, blocked_seconds=3.0)
    assert forth(fleet("green"), Goal.SOAKED, away) == SaveBatch(SWITCHED)


def test_soak_ends_after_its_time_when_all_instances_are_healthy() -> None:
    assert forth(fleet("green"), Goal.SOAKED, SWITCHED, 59) == PollAgain(1)
    step = forth(fleet("green"), Goal.SOAKED, SWITCHED, 60)
    assert step == SaveBatch(replace(SOAKED, soak_seconds=60))


def test_unresponsive_instance_neither_ends_nor_fails_the_soak_before_its_limit() -> None:
    unreachable: dict[str, Health | None] = {"g-00": WELL, "g-01": None}
    at_limit = forth(fleet("green"), Goal.SOAKED, SWITCHED, 90, answers=unreachable)
    assert at_limit == PollAgain(0)
    step = forth(fleet("green"), Goal.SOAKED, SWITCHED, 91, answers=unreachable)
    assert step == GiveUp("SOAK", "pool green did not stay healthy for 60 s: g-01: does not answer")


@pytest.mark.parametrize(("seconds", "late"), [(30, False), (31, True)])
def test_unhealthy_instance_restarts_the_soak_while_there_is_time_for_it(seconds: int, late: bool) -> None:
    answers: dict[str, Health | None] = {"g-00": WELL, "g-01": ILL}
    step = forth(fleet("green"), Goal.SOAKED, SWITCHED, seconds, answers=answers)
    assert isinstance(step, RecordUnhealthy)
    assert (step.batch.healthy_seconds, step.unhealthy) == (None, {"i-01": "g-01: out of memory"})
    assert (step.too_late is not None) is late


def test_soak_restarts_once_all_instances_are_healthy_and_not_while_one_was_last_unhealthy() -> None:
    was_ill = replace(SWITCHED, healthy_seconds=None)
    assert forth(fleet("green"), Goal.SOAKED, was_ill, 30) == SaveBatch(
        replace(watched(was_ill, 30), healthy_seconds=0.0)
    )
    unreachable: dict[str, Health | None] = {"g-00": WELL, "g-01": None}
    assert forth(fleet("green"), Goal.SOAKED, was_ill, 30, answers=unreachable) == PollAgain(60)


def test_soak_that_would_restart_too_late_is_a_failure() -> None:
    step = forth(fleet("green"), Goal.SOAKED, replace(SWITCHED, healthy_seconds=None), 31)
    assert step == GiveUp("SOAK", "pool green did not stay healthy for 60 s: pool green: became healthy too late")


# fault 1
def test_list_that_leaves_instances_out_ends_the_soak_only_after_its_time() -> None:
    assert isinstance(forth(fleet("green", green=1), Goal.SOAKED, SWITCHED, 61), PollAgain)
    late = forth(fleet("green", green=1), Goal.SOAKED, SWITCHED, 91)
    assert isinstance(late, GiveUp)
    assert "has 1 instances, 2 are wanted" in late.reason


# fault 1
def test_old_pool_is_removed_only_when_the_list_shows_the_new_one() -> None:
    step = forth(replace(fleet("green"), instances=()), Goal.RETIRED, SOAKED)
    assert isinstance(step, SendPoolOrder)
    assert forth(fleet("green", blue=0), Goal.RETIRED, SOAKED) == SaveBatch(
        replace(SOAKED, phase=Phase.DONE, phase_started_at=after(0))
    )


# fault 22
def test_soak_begins_again_after_a_gap_and_may_take_its_time_once_more() -> None:
    late = watched(SWITCHED, 85)
    begun = forth(fleet("green"), Goal.SOAKED, SWITCHED, 85, gap=True)
    assert begun == SaveBatch(replace(late, healthy_seconds=0.0))
    assert isinstance(begun, SaveBatch)
    assert forth(fleet("green"), Goal.SOAKED, begun.batch, 40) == PollAgain(20)
    silent: dict[str, Health | None] = {"g-00": WELL, "g-01": None}
    assert isinstance(forth(fleet("green"), Goal.SOAKED, begun.batch, 20, answers=silent), PollAgain)


def test_soak_without_a_gap_does_not_begin_again() -> None:
    assert forth(fleet("green"), Goal.SOAKED, SWITCHED, 59, gap=False) == PollAgain(1)


# fault 1
def test_rollback_does_not_take_an_empty_list_for_removed_pools() -> None:
    empty = replace(fleet("blue"), instances=())
    assert isinstance(next_revert_action(view(empty), RevertGoal.ROLL_BACK), WaitFor)


def test_old_pool_is_removed_after_the_soak_and_not_before() -> None:
    assert isinstance(forth(fleet("green"), Goal.RETIRED, SWITCHED, 10), PollAgain)
    assert forth(fleet("green"), Goal.SOAKED, SOAKED) == GoalReached()
    assert order(forth(fleet("green"), Goal.RETIRED, SOAKED)) == (PoolCall.REMOVE, "blue")
    gone = replace(SOAKED, phase=Phase.DONE, phase_started_at=after(99))
    assert forth(fleet("green", blue=0), Goal.RETIRED, SOAKED, 99) == SaveBatch(gone)
    assert forth(fleet("green", blue=0), Goal.RETIRED, gone) == GoalReached()


@pytest.mark.parametrize(("batch", "phase"), [(GREEN, "CHECK"), (SOAKED, "RETIRE")])
def test_unresponsive_fleet_is_waited_for_until_the_time_out(batch: Batch, phase: str) -> None:
    step = forth(None, Goal.RETIRED, batch)
    assert isinstance(step, WaitFor)
    assert step.on_timeout == GiveUp(phase, "the fleet did not answer for 30 s")


def test_unresponsive_fleet_fails_the_soak_at_its_limit() -> None:
    assert forth(None, Goal.SOAKED, SWITCHED, 90) == PollAgain(0)
    assert isinstance(forth(None, Goal.SOAKED, SWITCHED, 91), GiveUp)


# -- the clock -------------------------------------------------------------------------------------------------------


def test_soak_counts_watched_seconds_until_it_is_over() -> None:
    assert watched(SWITCHED, 10) == replace(SWITCHED, soak_seconds=10, healthy_seconds=10)
    assert watched(SOAKED, 10) == SOAKED
    assert watched(GREEN, 10) == GREEN


def test_pause_extends_only_a_delay_that_was_not_over() -> None:
    waiting = Batch(2, "BATCH", due_at=after(60))
    assert shift_due_times([SWITCHED, waiting], after(10), after(110)) == [replace(waiting, due_at=after(160))]
    assert shift_due_times([waiting, replace(waiting, completed_at=NOW)], after(70), after(110)) == []


# -- back ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "phase", "aim"),
    [
        (S.ROLLING_BACK, None, RevertGoal.ROLL_BACK),
        (S.CANCELLED, None, RevertGoal.CANCELLED),
        (S.FAILED, "SOAK", RevertGoal.SOAK_FAILED),
        (S.FAILED, "CHECK", None),
        (S.FAILED, None, None),
        (S.COMPLETED, None, None),
    ],
)
def test_revert_goal_follows_from_the_status_of_the_execution(
    status: ExecutionStatus, phase: str | None, aim: RevertGoal | None
) -> None:
    assert revert_goal_of(make_execution(status, failure_phase=phase)) is aim


@pytest.mark.parametrize("aim", [RevertGoal.ROLL_BACK, RevertGoal.CANCELLED])
def test_new_pool_without_traffic_is_removed_before_the_rows_are_rolled_back(aim: RevertGoal) -> None:
    assert order(next_revert_action(view(fleet()), aim)) == (PoolCall.REMOVE, "green")
    assert next_revert_action(view(fleet(green=0)), aim) == MarkRolledBack({"i-00": True, "i-01": True})
    done = [make_instance("i-00", I.ROLLED_BACK), make_instance("i-01")]
    assert next_revert_action(view(fleet(green=0), rows=done), aim) == GoalReached()


def test_new_pool_is_kept_for_inspection_after_a_failed_soak() -> None:
    assert isinstance(next_revert_action(view(fleet()), RevertGoal.SOAK_FAILED), MarkRolledBack)


@pytest.mark.parametrize("aim", [RevertGoal.ROLL_BACK, RevertGoal.SOAK_FAILED])
def test_traffic_is_switched_back_to_a_healthy_old_pool(aim: RevertGoal) -> None:
    assert order(next_revert_action(view(fleet("green")), aim)) == (PoolCall.SWITCH, "blue")


def test_cancel_after_the_switch_changes_no_pool() -> None:
    assert next_revert_action(view(fleet("green")), RevertGoal.CANCELLED) == GoalReached()


def test_removed_old_pool_is_made_again_by_a_rollback_only() -> None:
    step = next_revert_action(view(fleet("green", blue=0, green=3)), RevertGoal.ROLL_BACK)
    assert isinstance(step, SendPoolOrder)
    assert (step.call, step.pool, step.version, step.size) == (PoolCall.MAKE, "blue", "3.6.0", 3)
    assert isinstance(step.on_timeout, GiveUp)
    assert next_revert_action(view(fleet("green", blue=0)), RevertGoal.SOAK_FAILED) == GoalReached()


def test_partly_removed_old_pool_is_removed_when_it_cannot_be_made_again() -> None:
    step = next_revert_action(view(fleet("green", blue=1)), RevertGoal.ROLL_BACK)
    assert isinstance(step, SendPoolOrder)
    assert (step.call, order(step.on_timeout)) == (PoolCall.MAKE, (PoolCall.REMOVE, "blue"))


@pytest.mark.parametrize(("green_well", "takes"), [(False, True), (True, False)])
def test_unhealthy_old_pool_gets_the_traffic_after_the_time_out_only_if_the_new_one_is_no_better(
    green_well: bool, takes: bool
) -> None:
    blue: list[FleetInstance] = fleet_of(2, unhealthy=(0,))
    found = replace(make_fleet(*blue, *green_of(2, healthy=green_well)), traffic="green")
    step = next_revert_action(view(found), RevertGoal.ROLL_BACK)
    assert isinstance(step, WaitFor)
    assert isinstance(step.on_timeout, SendPoolOrder if takes else GiveUp)


def test_unresponsive_fleet_ends_the_revert_without_success_after_the_time_out() -> None:
    step = next_revert_action(view(None), RevertGoal.ROLL_BACK)
    assert isinstance(step, WaitFor)
    assert step.on_timeout == GiveUp("ROLLBACK", "the fleet did not answer (after 30 s)")
