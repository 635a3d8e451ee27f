"""Airflow's settings that decide how soon an upgrade goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from upgrade_orchestrator.cli.doctor.finding import Finding, warning, well

SLOW: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "scheduler_idle_sleep_time": (5, "each task of an upgrade begins that much later"),
        "task_instance_heartbeat_timeout": (900, "an upgrade stands still for so long when its worker is killed"),
        "task_queued_timeout": (1800, "an upgrade stands still for so long when its worker is lost before it begins"),
    }
)
"The most seconds of each option of [scheduler] that are no warning, and what more of them mean."


def look_at_scheduler_settings() -> Iterator[Finding]:
    """All are optional; what is far from Airflow's default may surprise."""
    from airflow.configuration import conf

    found = {name: conf.getfloat("scheduler", name) for name in SLOW}
    slow = {name: seconds for name, seconds in found.items() if seconds > SLOW[name][0]}
    for name, seconds in slow.items():
        yield warning("settings", f"[scheduler] {name} is {seconds:g}", SLOW[name][1])
    if not slow:
        said = ", ".join(f"{name} {seconds:g}" for name, seconds in found.items())
        yield well("settings", f"[scheduler] {said} (docs/adopt.md says what is faster)")
