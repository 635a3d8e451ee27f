"""When to look again, on an event loop whose clock the test moves."""

from math import inf

import pytest

from upgrade_orchestrator.service.runner import loop
from upgrade_orchestrator.service.runner.loop import Backoff, PollSchedule


class Clock:
    """An event loop with this time, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def time(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(loop, "get_running_loop", lambda: made)
    return made


def test_backoff_grows_with_the_time_since_the_last_change(clock: Clock) -> None:
    pace, gaps = Backoff(), []
    for clock.seconds in (1000.0, 1000.1, 1001.0, 1005.0, 1100.0):
        gaps.append(pace.gap())
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (Backoff.SHORTEST, Backoff.LONGEST)
    assert gaps[2] == pytest.approx(Backoff.SHARE)
    pace.changed()
    assert pace.gap() == Backoff.SHORTEST


def test_first_poll_of_an_instance_is_due_at_once(clock: Clock) -> None:
    polls = PollSchedule(30)
    assert polls.due(["a"])
    assert polls.next_in(["a"]) == 0
    assert polls.next_in([]) == inf


def test_gaps_between_polls_double_from_half_a_second_up_to_the_interval(clock: Clock) -> None:
    polls, gaps = PollSchedule(3), []
    for _ in range(6):
        polls.polled("a")
        gaps.append(polls.next_in(["a"]))
        assert not polls.due(["a"])
        clock.seconds += gaps[-1]
        assert polls.due(["a"])
    assert gaps == [0.5, 1, 2, 3, 3, 3]


def test_interval_below_half_a_second_is_kept(clock: Clock) -> None:
    polls = PollSchedule(0.2)
    polls.polled("a")
    assert polls.next_in(["a"]) == pytest.approx(0.2)


def test_poll_at_the_end_of_a_soak_is_due_and_does_not_shorten_the_gaps(clock: Clock) -> None:
    polls = PollSchedule(30)
    polls.polled("a", at_most=0.1)
    assert polls.next_in(["a"]) == pytest.approx(0.1)
    polls.polled("a", at_most=100)
    assert polls.next_in(["a"]) == 1
    polls.polled("a", at_most=0)
    assert polls.next_in(["a"]) == pytest.approx(0.05)  # never a busy loop


def test_instances_are_polled_independently_and_the_earliest_counts(clock: Clock) -> None:
    polls = PollSchedule(30)
    polls.polled("a")
    clock.seconds += 0.4
    polls.polled("b")
    assert polls.next_in(["a", "b"]) == pytest.approx(0.1)
    assert polls.next_in(["b"]) == pytest.approx(0.5)
    clock.seconds += 10
    assert polls.next_in(["a", "b"]) == 0


def test_instance_that_was_not_polled_for_a_while_is_due_at_once_again(clock: Clock) -> None:
    polls = PollSchedule(30)
    for _ in range(4):
        polls.polled("a")
    assert polls.due([]) == []
    assert polls.due(["a"]) == ["a"]
    polls.polled("a")
    assert polls.next_in(["a"]) == 0.5
