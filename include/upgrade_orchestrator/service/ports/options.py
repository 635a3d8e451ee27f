"""The settings that the use cases read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the operator, with their defaults (docs: ``[upgrades]`` options)."""

    platform_version: str | None = None
    max_backup_age_hours: float = 24
    check_timeout_seconds: float = 60
    lease_seconds: float = 10
    worker_places: int = 1
    four_eyes: bool = True
    stream_seconds: float = 300
