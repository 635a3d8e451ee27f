"""The rules on backups: what may be registered, and which one a rollback would use (specification section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.checks.checks import Findings, StoredObject
from upgrade_orchestrator.domain.checks.locations import Roots
from upgrade_orchestrator.domain.registry.entries import Backup
from upgrade_orchestrator.domain.registry.rules import Problem

CLOCK_SKEW = timedelta(minutes=5)
"How far the clock of who made a backup may be ahead of the database's."
LONGEST_LOOK_SECONDS = 6 * 3600.0
"The longest time limit for reading one backup."
TRIED = 5
"At most this many backups are looked at for one check, newest first."
NOT_REQUIRED = "no backup is required: the component keeps no state (backupRequired is false)"
_ANOTHER_BACKUP = "make a backup and register it with POST .../backups"


@dataclass(frozen=True, slots=True)
class BackupRules:
    """The operator's rules: age, places, and the time that reading takes: ``seconds`` and the size by the rate."""

    max_age: timedelta
    roots: Roots
    seconds: float
    bytes_per_second: float

    def limit_seconds(self, size_bytes: int) -> float:
        """The time limit for reading a backup of that size."""
        return min(self.needs_seconds(size_bytes), LONGEST_LOOK_SECONDS)

    def needs_seconds(self, size_bytes: int) -> float:
        """The time that reading it may take, by the rate."""
        return self.seconds + size_bytes / self.bytes_per_second


def registration_problems(backup: Backup, now: datetime, rules: BackupRules) -> list[Problem]:
    """Why the backup is not registered; ``now`` is the server's time."""
    found = []
    if (where := rules.roots.problem(backup.location)) is not None:
        found.append(Problem("location", where))
    if backup.created_at > now + CLOCK_SKEW:
        skew = f"{CLOCK_SKEW.total_seconds() / 60:.0f} min"
        found.append(Problem("createdAt", f"is in the future: the server's time is {_utc(now)}; {skew} ahead at most"))
    if (needed := rules.needs_seconds(backup.size_bytes)) > LONGEST_LOOK_SECONDS:
        found.append(Problem("sizeBytes", _too_big(needed, rules)))
    return found


def _too_big(needed: float, rules: BackupRules) -> str:
    rate, most = rules.bytes_per_second / (1 << 20), LONGEST_LOOK_SECONDS / 3600
    found = f"reading it takes {needed / 3600:.1f} h at {rate:g} MiB/s, at most {most:g} h are accepted"
    return f"{found}: register a smaller part, or raise [upgrades] backup_min_mib_per_second if the storage is faster"


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def candidates(backups: Sequence[Backup], version_id: str, now: datetime, max_age: timedelta) -> list[Backup]:
    """The backups of that version that are not older than ``max_age``, newest first."""
    young = [each for each in backups if each.version_id == version_id and now - each.created_at <= max_age]
    return sorted(young, key=lambda each: (each.created_at, each.id), reverse=True)


def none_usable(backups: Sequence[Backup], version_id: str, now: datetime, max_age: timedelta) -> Findings:
    """The finding when there is no candidate: no backup of the running version, or only old ones."""
    of_version = [each for each in backups if each.version_id == version_id]
    newest = max(of_version, key=lambda each: each.created_at, default=None)
    if newest is None:
        return Findings((f"no backup of version {version_id} is known: {_ANOTHER_BACKUP}",))
    hours, most = (now - newest.created_at).total_seconds() / 3600, max_age.total_seconds() / 3600
    found = f"backup {newest.id} is {hours:.1f} h old, at most {most:g} h are accepted"
    return Findings((f"{found}: {_ANOTHER_BACKUP}",))


def not_there(backup: Backup, why: str) -> Findings:
    """Nothing can be read at the backup's location."""
    todo = f"let Airflow's workers read it, or {_ANOTHER_BACKUP}"
    return Findings((f"backup {backup.id} at {backup.location} cannot be read ({why}): {todo}",))


def not_allowed(backup: Backup, why: str) -> Findings:
    """The backup was registered before its location was excluded."""
    return Findings((f"backup {backup.id} at {backup.location} is not read: its location {why}; {_ANOTHER_BACKUP}",))


def not_in_time(backup: Backup, seconds: float) -> Findings:
    """Reading the backup took too long."""
    found = f"the look at backup {backup.id} at {backup.location} did not finish within {seconds:g} s"
    settings = "[upgrades] check_timeout_seconds, or lower backup_min_mib_per_second if the storage is slow"
    return Findings((f"{found}: see whether the storage of the backup responds, or raise {settings}",))


def content(backup: Backup, found: StoredObject) -> Findings:
    """The object at the backup's location is the one that was registered."""
    if found.size_bytes != backup.size_bytes:
        sizes = f"has {found.size_bytes} bytes, {backup.size_bytes} registered"
        return Findings((f"backup {backup.id} at {backup.location} {sizes}: {_ANOTHER_BACKUP}",))
    if found.sha256 is not None and found.sha256.lower() != backup.sha256.lower():
        sums = f"was altered: sha256 {found.sha256}, {backup.sha256} registered"
        return Findings((f"backup {backup.id} at {backup.location} {sums}; {_ANOTHER_BACKUP}",))
    return Findings()


def used_instead(backup: Backup, newer: Findings, now: datetime) -> Findings:
    """Warnings: the newer backups that do not verify, and the older one that does."""
    hours = (now - backup.created_at).total_seconds() / 3600
    return Findings((), (*newer.blockers, f"the older backup {backup.id}, {hours:.1f} h old, verifies and is used"))


def all_fail(tried: Findings, known: int) -> Findings:
    """Blockers: none of the backups that were tried verifies."""
    left = known - TRIED
    return tried + Findings((f"{left} older ones were not tried, only the newest {TRIED} are",) if left > 0 else ())
