"""BACKUP_VERIFICATION: the newest backup of the running version that is really there (specification section 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from upgrade_orchestrator.domain.checks import backups, checks
from upgrade_orchestrator.domain.checks.backups import TRIED, BackupRules
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, Findings
from upgrade_orchestrator.domain.execution.attention import STORE_UNREACHABLE
from upgrade_orchestrator.domain.registry.entries import Backup
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.attention import TRIES, AttentionKeeper

SILENT_SECONDS = 4.0
"A storage that has not read all of a backup after this time is asked for its size: that needs no longer either."


@dataclass(frozen=True, slots=True)
class RunningVersion:
    """What is to be restored by a backup. ``thorough`` reads all of the backup, otherwise only its size is read."""

    tenant_id: str
    component_id: str
    version_id: str
    now: datetime
    thorough: bool
    attention: AttentionKeeper | None = None
    "Notes a storage that does not respond."


async def verify_backup(ports: Ports, wanted: RunningVersion) -> CheckResult:
    """Looks at the backups one after the other, newest first, each within a time limit that follows its size."""
    name, rules = CheckName.BACKUP_VERIFICATION, ports.options.backups
    async with ports.work() as work:
        known = await work.registry.backups(wanted.tenant_id, wanted.component_id)
        found = backups.candidates(known, wanted.version_id, wanted.now, rules.max_age)
        if not found and not await _is_required(work, wanted.component_id):
            return checks.verdict(name, Findings(), backups.NOT_REQUIRED)
    if not found:
        return checks.verdict(name, backups.none_usable(known, wanted.version_id, wanted.now, rules.max_age), "")
    failed = Findings()
    for backup in found[:TRIED]:
        findings = await _look(ports, rules, backup, wanted)
        if not findings.blockers:
            newer = backups.used_instead(backup, failed, wanted.now) if failed.blockers else Findings()
            return checks.verdict(name, newer, _there(backup, wanted.thorough))
        failed += findings
    async with ports.work() as work:
        required = await _is_required(work, wanted.component_id)
    unusable = backups.all_fail(failed, len(found))
    return checks.verdict(name, unusable if required else unusable.as_warnings(), "")


async def _is_required(work: UnitOfWork, component_id: str) -> bool:
    """Read only when there is no backup that verifies, so that other upgrades do without the statement."""
    component = await work.registry.component(component_id)
    return component is None or component.backup_required


async def _look(ports: Ports, rules: BackupRules, backup: Backup, wanted: RunningVersion) -> Findings:
    if (why := rules.roots.problem(backup.location)) is not None:
        return backups.not_allowed(backup, why)
    seconds = rules.limit_seconds(backup.size_bytes if wanted.thorough else 0)
    try:
        async with asyncio.timeout(seconds), _named_when_silent(ports, backup, wanted.attention):
            found = await ports.read_object(backup.location, whole=wanted.thorough)
    except TimeoutError:
        return backups.not_in_time(backup, seconds)
    except (OSError, ValueError) as error:
        return backups.not_there(backup, str(error))
    return backups.content(backup, found)


def _there(backup: Backup, thorough: bool) -> str:
    found = f"backup {backup.id} is there: {backup.size_bytes} bytes"
    return f"{found}, sha256 {backup.sha256[:12]}…" if thorough else f"{found}; its sha256 is compared after the start"


@asynccontextmanager
async def _named_when_silent(ports: Ports, backup: Backup, attention: AttentionKeeper | None) -> AsyncIterator[None]:
    """While the backup is read, which may take minutes: notes it if its storage does not even say a size."""
    if attention is None:
        yield
        return
    watch = asyncio.create_task(_ask_for_size(ports, backup, attention))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await attention.well()


async def _ask_for_size(ports: Ports, backup: Backup, attention: AttentionKeeper) -> None:
    """Not more often than it takes: a look that hangs in the kernel keeps its place."""
    for _ in range(TRIES):
        await asyncio.sleep(SILENT_SECONDS)
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                await ports.read_object(backup.location, whole=False)
        except (OSError, ValueError) as error:  # a time-out is an OSError
            why = str(error) or f"no answer within {SILENT_SECONDS:g} s"
            await attention.failed(STORE_UNREACHABLE, f"backup {backup.id} at {backup.location}: {why}")
        else:
            return
