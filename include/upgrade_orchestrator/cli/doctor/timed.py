"""A look that takes no longer than it may, whatever hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread

from upgrade_orchestrator.cli.doctor.finding import Finding, error

Look = Callable[[], Iterable[Finding]]

LOOK_SECONDS = 30.0
"A look has its own limits, which are shorter; after this one the thread is left behind and ends with the process."


def timed(subject: str, look: Look, seconds: float = LOOK_SECONDS) -> list[Finding]:
    """The findings of ``look``; an error about ``subject`` when it fails or has no result after ``seconds``."""
    results: SimpleQueue[list[Finding]] = SimpleQueue()
    Thread(target=lambda: results.put(_findings(subject, look)), name=f"look-{subject}", daemon=True).start()
    try:
        return results.get(timeout=seconds)
    except Empty:
        return [
            error(subject, f"no answer within {seconds:g} s", "look at what it depends on, and run the doctor again")
        ]


def _findings(subject: str, look: Look) -> list[Finding]:
    try:
        return list(look())
    except Exception as failed:  # whatever a library raises about a broken installation is a finding
        said = str(getattr(failed, "orig", None) or failed).strip()
        return [error(subject, f"cannot be looked at ({type(failed).__name__}: {said.partition(chr(10))[0]})")]
