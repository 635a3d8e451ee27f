"""The settings that the use cases read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from upgrade_orchestrator.domain.checks.backups import BackupRules
from upgrade_orchestrator.domain.checks.locations import Roots


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the operator, with their defaults (docs: ``[upgrades]`` options)."""

    platform_version: str | None = None
    max_backup_age_hours: float = 24
    check_timeout_seconds: float = 60
    backup_roots: Roots = Roots()
    backup_min_mib_per_second: float = 50
    lease_seconds: float = 10
    worker_places: int = 1
    four_eyes: bool = True
    stream_seconds: float = 300

    @property
    def backups(self) -> BackupRules:
        """The rules for backups."""
        age, rate = timedelta(hours=self.max_backup_age_hours), self.backup_min_mib_per_second * (1 << 20)
        return BackupRules(age, self.backup_roots, self.check_timeout_seconds, rate)
