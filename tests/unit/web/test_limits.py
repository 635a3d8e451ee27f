"""The token bucket of each caller."""

import pytest

from upgrade_orchestrator.web.http.rate_limits import Limiter, TooManyRequests


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(limiter: Limiter, caller: str, most: int = 100) -> int:
    """How many calls are taken at once."""
    for number in range(most):
        try:
            limiter.take(caller)
        except TooManyRequests:
            return number
    return most


def test_caller_may_use_its_burst_and_then_its_rate(clock: Clock) -> None:
    limiter = Limiter(2, 10, clock)
    assert taken(limiter, "a") == 10
    clock.now = 1.5
    assert taken(limiter, "a") == 3
    clock.now = 1000
    assert taken(limiter, "a") == 10


def test_rate_limits_of_callers_are_independent(clock: Clock) -> None:
    limiter = Limiter(1, 3, clock)
    assert (taken(limiter, "a"), taken(limiter, "b")) == (3, 3)


def test_refused_call_returns_when_to_retry_and_is_not_counted(clock: Clock) -> None:
    limiter = Limiter(0.1, 1, clock)
    limiter.take("a")
    for _ in range(5):
        with pytest.raises(TooManyRequests) as refused:
            limiter.take("a")
        assert refused.value.seconds == 10
    clock.now = 10
    limiter.take("a")


def test_rate_of_zero_means_no_limit(clock: Clock) -> None:
    assert taken(Limiter(0, 1, clock), "a") == 100
