"""The rules on backups: registration, places, and which backup a rollback would use (specification section 7)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.builders import NOW, after
from upgrade_orchestrator.domain.checks.backups import (
    LONGEST_LOOK_SECONDS,
    TRIED,
    BackupRules,
    all_fail,
    candidates,
    content,
    none_usable,
    not_allowed,
    not_in_time,
    not_there,
    registration_problems,
    used_instead,
)
from upgrade_orchestrator.domain.checks.checks import Findings, StoredObject
from upgrade_orchestrator.domain.checks.locations import Roots
from upgrade_orchestrator.domain.registry.entries import Backup

DAY = timedelta(hours=24)
NOTHING = Findings()
ANOTHER = "make a backup and register it with POST .../backups"
GIB = 1 << 30
RULES = BackupRules(DAY, Roots(("file:///backups", "s3://")), 60, 50 << 20)


def backup(backup_id: str = "b-1", hours_old: float = 1, version_id: str = "bbb-222") -> Backup:
    return Backup(
        id=backup_id,
        tenant_id="550e8400",
        component_id="aaa-111",
        version_id=version_id,
        location="s3://backups/b-1.tar",
        size_bytes=1024,
        sha256="ab" * 32,
        created_at=after(-3600 * hours_old),
    )


# fault 45
def test_candidates_are_the_young_backups_of_that_version_newest_first() -> None:
    known = [backup("old", 25), backup("new", 2), backup("mid", 24), backup("other", 1, version_id="zzz-999")]
    assert [each.id for each in candidates(known, "bbb-222", NOW, DAY)] == ["new", "mid"]


def test_candidates_of_the_same_time_have_a_fixed_order() -> None:
    assert [each.id for each in candidates([backup("a"), backup("b")], "bbb-222", NOW, DAY)] == ["b", "a"]


def test_no_backup_of_the_version_is_a_blocker() -> None:
    expected = Findings((f"no backup of version bbb-222 is known: {ANOTHER}",))
    assert none_usable([backup(version_id="zzz-999")], "bbb-222", NOW, DAY) == expected


def test_old_backups_alone_are_a_blocker_that_names_the_newest() -> None:
    expected = Findings((f"backup b-1 is 30.5 h old, at most 24 h are accepted: {ANOTHER}",))
    assert none_usable([backup("b-0", 40), backup(hours_old=30.5)], "bbb-222", NOW, DAY) == expected


def test_content_of_another_size_is_a_blocker() -> None:
    expected = Findings((f"backup b-1 at s3://backups/b-1.tar has 7 bytes, 1024 registered: {ANOTHER}",))
    assert content(backup(), StoredObject(7, "ab" * 32)) == expected


def test_content_with_another_checksum_is_a_blocker() -> None:
    (text,) = content(backup(), StoredObject(1024, "cd" * 32)).blockers
    sums = f"sha256 {'cd' * 32}, {'ab' * 32} registered"
    assert text == f"backup b-1 at s3://backups/b-1.tar was altered: {sums}; {ANOTHER}"


def test_only_the_size_is_compared_of_content_that_was_not_read() -> None:
    assert content(backup(), StoredObject(1024, None)) == NOTHING
    assert content(backup(), StoredObject(1023, None)) != NOTHING


def test_registered_checksum_is_accepted_in_upper_or_lower_case() -> None:
    assert content(backup(), StoredObject(1024, "AB" * 32)) == NOTHING


def test_missing_object_is_a_blocker_with_the_reason_and_the_remedy() -> None:
    (text,) = not_there(backup(), "no such file").blockers
    todo = f"let Airflow's workers read it, or {ANOTHER}"
    assert text == f"backup b-1 at s3://backups/b-1.tar cannot be read (no such file): {todo}"


# fault 45
def test_newer_backups_that_do_not_verify_are_warnings_that_name_the_one_that_is_used() -> None:
    newer = not_there(backup("b-2"), "gone")
    found = used_instead(backup("b-1", 5), newer, NOW)
    assert found.blockers == ()
    assert found.warnings == (*newer.blockers, "the older backup b-1, 5.0 h old, verifies and is used")


LEFT_OUT = f"2 older ones were not tried, only the newest {TRIED} are"


# fault 45
@pytest.mark.parametrize(("known", "more"), [(TRIED, ()), (TRIED + 2, (LEFT_OUT,))])
def test_failed_backups_are_blockers_and_those_not_tried_are_counted(known: int, more: tuple[str, ...]) -> None:
    assert all_fail(Findings(("one",)), known) == Findings(("one", *more))


# fault 46
@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 60), (60 * GIB, 60 + 60 * 1024 / 50), (10**15, LONGEST_LOOK_SECONDS)]
)
def test_time_limit_follows_the_size_up_to_six_hours(size: int, seconds: float) -> None:
    assert RULES.limit_seconds(size) == pytest.approx(seconds)


def test_look_that_took_too_long_names_the_storage_and_the_settings() -> None:
    (text,) = not_in_time(backup(), 0.3).blockers
    assert text.startswith("the look at backup b-1 at s3://backups/b-1.tar did not finish within 0.3 s: see whether")
    assert "check_timeout_seconds" in text
    assert "backup_min_mib_per_second" in text


def test_location_that_was_excluded_after_registration_is_a_blocker() -> None:
    (text,) = not_allowed(backup(), "must begin with one of file:///backups").blockers
    assert text.startswith("backup b-1 at s3://backups/b-1.tar is not read: its location must begin with")


def test_backup_that_keeps_the_rules_may_be_registered() -> None:
    assert registration_problems(backup(), NOW, RULES) == []


# fault 45
@pytest.mark.parametrize(("seconds", "refused"), [(299, False), (301, True)])
def test_backup_of_the_future_is_refused_with_the_servers_time(seconds: float, refused: bool) -> None:
    found = registration_problems(replace(backup(), created_at=after(seconds)), NOW, RULES)
    assert [each.field for each in found] == (["createdAt"] if refused else [])
    assert all("is in the future: the server's time is 20" in each.message for each in found)
    assert all(each.message.endswith("Z; 5 min ahead at most") for each in found)


# fault 46
@pytest.mark.parametrize(("size", "refused"), [(1000 * GIB, False), (1100 * GIB, True)])
def test_backup_that_cannot_be_read_in_time_is_refused_with_the_rate(size: int, refused: bool) -> None:
    found = registration_problems(replace(backup(), size_bytes=size), NOW, RULES)
    assert [each.field for each in found] == (["sizeBytes"] if refused else [])
    assert all("6.3 h at 50 MiB/s, at most 6 h are accepted" in each.message for each in found), found


# fault 47
def test_backup_elsewhere_is_refused_with_what_is_accepted() -> None:
    (found,) = registration_problems(replace(backup(), location="file:///proc/self/environ"), NOW, RULES)
    assert (found.field, found.message) == (
        "location",
        "must begin with one of file:///backups, s3:// ([upgrades] backup_roots)",
    )
