"""Rate limits (specification section 8, 429): a token bucket for each caller, in this server process only."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from upgrade_orchestrator.domain.errors import UpgradeError

_MAX_CALLERS = 10_000
"Maximum of buckets kept; a caller whose bucket was dropped starts with a full one."


class TooManyRequests(UpgradeError):
    """The caller is over the limit; ``seconds`` until the next call is accepted."""

    code = "TOO_MANY_REQUESTS"
    seconds = 1

    def __init__(self, detail: str, seconds: int = 1) -> None:
        super().__init__(detail)
        self.seconds = seconds


class Limiter:
    """``per_second`` calls a second for each caller and ``burst`` at once; no limit if ``per_second`` is 0."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count a call of ``caller``.

        :raises TooManyRequests: the caller is over the limit.
        """
        if not self._per_second:
            return
        now = self._clock()
        left, since = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        self._buckets[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = math.ceil((1 - left) / self._per_second)
            raise TooManyRequests(f"{caller} makes more calls than {self._per_second:g} a second", wait)
