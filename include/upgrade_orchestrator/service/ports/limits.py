"""What an operator may set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be set from outside: hours, seconds, a version, a rule."""

    platform_version: str | None = None
    max_backup_age_hours: float = 24
    check_timeout_seconds: float = 60
    lease_seconds: float = 10
    worker_places: int = 1
    four_eyes: bool = True
    stream_seconds: float = 300
