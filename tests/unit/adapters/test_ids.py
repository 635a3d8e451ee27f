"""Ids are UUIDs of version 7: by their form, their time and their order."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from upgrade_orchestrator.adapters.ids import id_for, new_id

CONTRACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def test_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(200):
        text = new_id()
        found = UUID(text)
        assert (found.version, found.variant, str(found)) == (7, "specified in RFC 4122", text)
        assert CONTRACT.fullmatch(text)


def test_id_contains_the_time_of_its_generation() -> None:
    before = time.time_ns() // 1_000_000
    minted = UUID(new_id()).int >> 80
    assert before <= minted <= time.time_ns() // 1_000_000


def test_ids_sort_by_the_millisecond_of_their_generation() -> None:
    ids: list[str] = []
    while len({each[:13] for each in ids}) < 5:
        ids.append(new_id())
    moments = [UUID(each).int >> 80 for each in ids]
    assert moments == sorted(moments)
    assert sorted(ids, key=lambda each: each[:13]) == ids


def test_ids_of_one_moment_differ_in_every_random_bit() -> None:
    numbers = [UUID(new_id()).int for _ in range(500)]
    assert len(set(numbers)) == len(numbers)
    ones, zeros = 0, 0
    for each in numbers:
        ones |= each
        zeros |= ~each
    fixed = (0xF << 76) | (0b11 << 62)
    random = ((1 << 80) - 1) & ~fixed
    assert ones & zeros & random == random


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_id_for_a_name_is_the_same_in_every_time_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
    assert id_for("run-1", NOON) == id_for("run-1", elsewhere)
    assert int(id_for("run-1", NOON).replace("-", "")[:12], 16) == NOON.timestamp() * 1000
    assert UUID(id_for("run-1", NOON)).version == 7


def test_id_for_another_name_or_time_differs() -> None:
    later = NOON + timedelta(microseconds=1)
    assert len({id_for("run-1", NOON), id_for("run-2", NOON), id_for("run-1", later)}) == 3
