"""When to look again, on an event loop whose clock the test moves."""

import pytest

from upgrade_orchestrator.service.runner import backoff as pulse
from upgrade_orchestrator.service.runner.backoff import Pace, Pulses


class Clock:
    """Seconds, as the event loop counts them."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pulse, "now_seconds", made)
    return made


async def test_clock_is_the_event_loops() -> None:
    first = pulse.now_seconds()
    assert pulse.now_seconds() >= first


def test_gap_grows_with_the_time_since_something_moved(clock: Clock) -> None:
    pace, gaps = Pace(), []
    for clock.seconds in (1000.0, 1000.1, 1001.0, 1005.0, 1100.0):
        gaps.append(pace.gap())
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (Pace.SHORTEST, Pace.LONGEST)
    assert gaps[2] == pytest.approx(Pace.SHARE)
    pace.changed()
    assert pace.gap() == Pace.SHORTEST


def test_first_poll_is_due_at_once(clock: Clock) -> None:
    pulses = Pulses(30)
    assert pulses.due("a")
    assert pulses.next_in() is None


def test_polls_come_at_gaps_that_double_from_half_a_second_up_to_the_longest(clock: Clock) -> None:
    pulses, gaps = Pulses(3), []
    for _ in range(6):
        pulses.polled("a")
        gaps.append(pulses.next_in())
        assert not pulses.due("a")
        clock.seconds += gaps[-1] or 0
        assert pulses.due("a")
    assert gaps == [0.5, 1, 2, 3, 3, 3]


def test_longest_below_half_a_second_is_kept(clock: Clock) -> None:
    pulses = Pulses(0.2)
    pulses.polled("a")
    assert pulses.next_in() == pytest.approx(0.2)


def test_poll_at_the_end_of_a_soak_is_not_missed_and_does_not_shorten_the_gaps(clock: Clock) -> None:
    pulses = Pulses(30)
    pulses.polled("a", at_most=0.1)
    assert pulses.next_in() == pytest.approx(0.1)
    pulses.polled("a", at_most=100)
    assert pulses.next_in() == 1
    pulses.polled("a", at_most=0)
    assert pulses.next_in() == pytest.approx(0.05)  # never a busy loop


def test_instances_are_polled_independently_and_the_earliest_counts(clock: Clock) -> None:
    pulses = Pulses(30)
    pulses.polled("a")
    clock.seconds += 0.4
    pulses.polled("b")
    assert pulses.next_in() == pytest.approx(0.1)
    pulses.forget("a")
    assert pulses.next_in() == pytest.approx(0.5)
    clock.seconds += 10
    assert pulses.next_in() == 0


def test_forgotten_instance_begins_anew(clock: Clock) -> None:
    pulses = Pulses(30)
    for _ in range(4):
        pulses.polled("a")
    pulses.forget("a")
    assert pulses.due("a")
    pulses.polled("a")
    assert pulses.next_in() == 0.5
    pulses.forget("never seen")
