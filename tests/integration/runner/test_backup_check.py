"""BACKUP_VERIFICATION reads the backup itself: one that is missing, truncated, altered or out of reach fails it."""

from dataclasses import replace

import pytest

from tests.integration.store_lab import MakeLab
from tests.labs.lab import Lab
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.checks.locations import Roots
from upgrade_orchestrator.service.checks.run import run_check

_COPY = """INSERT INTO backup (id, tenant_id, component_id, version_id, location, size_bytes, sha256, created_at)
SELECT %s, tenant_id, component_id, version_id, %s, size_bytes, sha256, created_at + %s::interval FROM backup"""


async def _found(lab: Lab, execution_id: str) -> tuple[CheckStatus, str]:
    result = await run_check(lab.world.ports, execution_id, CheckName.BACKUP_VERIFICATION)
    return result.status, result.message


async def test_backup_verification_fails_when_the_file_is_missing(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.world.backup.unlink()
    status, message = await _found(lab, execution.id)
    assert (status, "cannot be read ([Errno 2] No such file" in message) == (CheckStatus.FAILED, True), message


async def test_backup_verification_fails_when_the_file_is_truncated(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    lab.world.backup.write_bytes(lab.world.backup.read_bytes()[:-1])
    status, message = await _found(lab, execution.id)
    assert (status, "has 25999 bytes, 26000 registered" in message) == (CheckStatus.FAILED, True), message


async def test_backup_verification_fails_when_the_file_was_altered(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    content = lab.world.backup.read_bytes()
    lab.world.backup.write_bytes(b"E" + content[1:])
    status, message = await _found(lab, execution.id)
    assert (status, "was altered" in message) == (CheckStatus.FAILED, True)


@pytest.mark.parametrize("location", ["gopher://nowhere/backup", "s3://no-such-bucket-of-ours/backup"])
async def test_backup_verification_fails_when_the_location_is_not_reachable(make_lab: MakeLab, location: str) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    with lab.world.connect() as connection:
        connection.execute("UPDATE backup SET location = %s", (location,))
    status, message = await _found(lab, execution.id)
    assert (status, f"at {location} cannot be read (" in message) == (CheckStatus.FAILED, True), message


async def test_backup_that_takes_too_long_to_read_fails_the_check_after_its_time_out(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    with lab.world.backup.open("r+b") as file:
        file.truncate(1 << 38)  # a sparse file that takes minutes to read
    ports = replace(lab.world.ports, options=replace(lab.world.ports.options, check_timeout_seconds=0.3))
    with lab.world.connect() as connection:
        connection.execute("UPDATE backup SET size_bytes = 1")
    result = await run_check(ports, execution.id, CheckName.BACKUP_VERIFICATION)
    assert result.status is CheckStatus.FAILED
    assert "did not finish within 0.3 s: see whether the storage of the backup responds" in result.message


# fault 46
async def test_time_limit_of_the_look_follows_the_registered_size(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    options = replace(lab.world.ports.options, check_timeout_seconds=0.001, backup_min_mib_per_second=0.001)
    status, message = await _found(lab.with_ports(options=options), execution.id)  # 26000 bytes: 25 s
    assert status is CheckStatus.PASSED, message


# fault 45
async def test_older_backup_is_used_when_the_newest_is_truncated(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    newer = lab.world.backup.with_name("newer")
    newer.write_bytes(lab.world.backup.read_bytes()[:-1])
    with lab.world.connect() as connection:
        connection.execute(_COPY, ("newer", newer.as_uri(), "1 minute"))
    status, message = await _found(lab, execution.id)
    assert status is CheckStatus.WARNING
    assert f"backup newer at {newer.as_uri()} has 25999 bytes, 26000 registered" in message
    assert message.endswith("verifies and is used")


# fault 47
async def test_backup_registered_before_its_location_was_excluded_is_not_read(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution = await lab.validating()
    options = replace(lab.world.ports.options, backup_roots=Roots(("s3://",)))
    status, message = await _found(lab.with_ports(options=options), execution.id)
    assert (status, "is not read: its location must begin with one of s3://" in message) == (CheckStatus.FAILED, True)
