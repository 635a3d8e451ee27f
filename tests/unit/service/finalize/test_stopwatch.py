"""The stopwatch of faults: how long until the caller sees what is wrong, and until a cancel has freed the place."""

import pytest

from tests.exact_counts import hold
from tests.labs.memory.lab import MakeLab
from tests.labs.stopwatch.faults import FAULTS, Fault
from tests.labs.stopwatch.run import CANCEL_AFTER, STEP_SECONDS, time_to_let_go, time_to_name

NAMED_SECONDS = 2.0 * STEP_SECONDS
"A problem is noted within ten seconds of the second time it is met, and a step that has no effect after its time-out."
ANSWER_SECONDS = 1.0
FREE_SECONDS = 15.0 + STEP_SECONDS
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


# faults 1 to 54, as far as the fleet has them
@each_fault
@pytest.mark.parametrize("after", [0.0, CANCEL_AFTER, 11.0, 21.0, 28.0])
@pytest.mark.parametrize("run_deleted", [False, True])
async def test_cancel_answers_at_once_and_frees_the_place_whatever_the_fleet_does(
    make_lab: MakeLab, fault: Fault, run_deleted: bool, after: float
) -> None:
    stopped = await time_to_let_go(make_lab, fault, run_deleted=run_deleted, after=after)
    assert stopped.answered <= ANSWER_SECONDS
    assert stopped.free <= FREE_SECONDS


@each_fault
async def test_caller_sees_the_fault_in_time_or_it_hinders_nothing(make_lab: MakeLab, fault: Fault) -> None:
    named = await time_to_name(make_lab, fault)
    assert (named is None) is (fault.says is None)
    assert named is None or named <= NAMED_SECONDS


async def test_stopwatch_shows_what_the_document_says(make_lab: MakeLab) -> None:
    table = {}
    for fault in FAULTS:
        named = await time_to_name(make_lab, fault)
        ways = [await time_to_let_go(make_lab, fault, run_deleted=deleted) for deleted in (False, True)]
        answered = max(each.answered for each in ways)
        table[fault.name] = tuple(_shown(each) for each in (named, answered, *(each.free for each in ways)))
    hold("fault", table, "## Stopwatch of faults")


def _shown(seconds: float | None) -> str:
    """To the half second."""
    return "–" if seconds is None else f"{round(seconds * 2) / 2:g}"
