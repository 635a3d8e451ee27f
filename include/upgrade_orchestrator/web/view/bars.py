"""The progress bar of an upgrade: which parts it has, so that together they are all of its instances."""

from __future__ import annotations

from typing import NamedTuple

from upgrade_orchestrator.domain.plan.progress import Progress
from upgrade_orchestrator.schemas.executions import ProgressResponse


class BarPart(NamedTuple):
    """A part of the bar: its words, its tone (a CSS class), its first instance and how many it has."""

    words: str
    tone: str
    start: int
    size: int


def bar_parts(progress: Progress | ProgressResponse) -> list[BarPart]:
    """What is rolled back, completed, failed and in flight; the rest of the bar is pending.

    An instance that a rollback is working on is in flight, and not in the part that it had before.
    """
    p = progress
    going = p.total - p.completed - p.failed - p.rolled_back - p.pending
    working = min(max(p.in_flight, going), p.total - p.rolled_back - p.pending)
    completed = max(0, p.completed - (working - going))
    failed = p.total - p.rolled_back - p.pending - working - completed
    counts = (("rolled back", "back", p.rolled_back), ("completed", "good", completed))
    parts, start = list[BarPart](), 0
    for words, tone, size in (*counts, ("failed", "bad", failed), ("in flight", "busy", working)):
        parts.append(BarPart(words, tone, start, size))
        start += size
    return parts
