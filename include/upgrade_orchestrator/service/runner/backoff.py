"""When to look again: seldom when nothing moves, often when something has just moved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


def now_seconds() -> float:
    """The event loop's clock: no jump of the wall clock disturbs a wait."""
    return asyncio.get_running_loop().time()


class Pace:
    """Gaps that grow with the time since the last change: 0.1 s at first, 2 s at the most."""

    SHORTEST, LONGEST, SHARE = 0.12, 2.0, 0.3

    def __init__(self) -> None:
        self._changed_at = now_seconds()

    def changed(self) -> None:
        """Something moved: look again soon."""
        self._changed_at = now_seconds()

    def gap(self) -> float:
        """Seconds until the next look: a third of what has been waited already."""
        waited = now_seconds() - self._changed_at
        return min(self.LONGEST, max(self.SHORTEST, waited * self.SHARE))


@dataclass
class Pulses:
    """Health polls per instance: at once, then at gaps that double from 0.5 s up to ``longest`` seconds (section 4)."""

    longest: float
    _due: dict[str, tuple[float, float]] = field(default_factory=dict)

    FIRST = 0.5

    def due(self, instance_id: str) -> bool:
        """True when it is time to poll this instance."""
        return now_seconds() >= self._due.get(instance_id, (0.0, 0.0))[0]

    def polled(self, instance_id: str, at_most: float | None = None) -> None:
        """Note a poll; the next one comes later than the last, but within ``at_most`` seconds."""
        _, gap = self._due.get(instance_id, (0.0, 0.0))
        following = min(self.longest, gap * 2) if gap else min(self.longest, self.FIRST)
        wait = following if at_most is None else min(following, max(0.05, at_most))
        self._due[instance_id] = (now_seconds() + wait, following)

    def forget(self, instance_id: str) -> None:
        """The next poll of this instance is a first one."""
        self._due.pop(instance_id, None)

    def next_in(self) -> float | None:
        """Seconds until the earliest poll; None when there is nothing to poll."""
        if not self._due:
            return None
        return max(0.0, min(at for at, _ in self._due.values()) - now_seconds())
