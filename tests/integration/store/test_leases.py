"""Leases: one holder at a time by the database's clock, and tokens that only grow."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest

from include.upgrades.domain.errors import LostLease
from include.upgrades.service.ports import Lease
from tests.integration.store.conftest import LEASE_SECONDS, Store

KEY = ("tenant", "aaa-111")
Take = Callable[[str], Awaitable[Lease | None]]


@pytest.fixture
def take(store: Store) -> Take:
    async def take_as(owner: str) -> Lease | None:
        async with store() as work:
            lease = await work.leases.take(*KEY, owner)
            await work.commit()
            return lease

    return take_as


async def _taken(take: Take, owner: str) -> Lease:
    """Tries until the holder's time is over."""
    for _ in range(500):
        if lease := await take(owner):
            return lease
        await asyncio.sleep(0.02)
    raise AssertionError("the lease was never free")


async def _renew(store: Store, lease: Lease) -> bool:
    async with store() as work:
        kept = await work.leases.renew(lease)
        await work.commit()
        return kept


async def test_of_many_takers_at_once_one_wins(take: Take) -> None:
    found = await asyncio.gather(*(take(f"owner-{each}") for each in range(8)))
    assert sum(each is not None for each in found) == 1


async def test_lease_is_taken_over_when_its_time_is_over_with_a_higher_token(take: Take, store: Store) -> None:
    first = await _taken(take, "one")
    began = asyncio.get_running_loop().time()
    assert await take("two") is None
    second = await _taken(take, "two")
    assert asyncio.get_running_loop().time() - began > LEASE_SECONDS * 0.7
    assert second.token == first.token + 1
    assert await _renew(store, first) is False
    assert await _renew(store, second) is True


async def test_token_grows_at_every_take_over_and_not_for_the_same_owner(take: Take, store: Store) -> None:
    tokens = []
    for owner in ("one", "two", "one", "three"):
        lease = await _taken(take, owner)
        again = await take(owner)
        assert again == lease
        tokens.append(lease.token)
        async with store() as work:
            await work.leases.give_back(lease)
            await work.commit()
    assert tokens == [1, 2, 3, 4]


async def test_time_is_the_databases(take: Take, postgres_url: str) -> None:
    await _taken(take, "one")
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE lease SET expires_at = clock_timestamp() + interval '30 s'")
        assert await take("two") is None
        connection.execute("UPDATE lease SET expires_at = clock_timestamp()")
        assert await take("two") is not None


async def test_renewed_lease_outlives_its_first_time(take: Take, store: Store) -> None:
    lease = await _taken(take, "one")
    end = asyncio.get_running_loop().time() + LEASE_SECONDS * 2
    while asyncio.get_running_loop().time() < end:
        assert await _renew(store, lease)
        assert await take("two") is None
        await asyncio.sleep(0.05)


async def test_given_back_lease_is_free_at_once_and_no_longer_held(take: Take, store: Store) -> None:
    lease = await _taken(take, "one")
    async with store() as work:
        await work.leases.give_back(lease)
        await work.commit()
    assert await _renew(store, lease) is False
    assert await take("two") is not None


async def test_giving_back_what_another_holds_changes_nothing(take: Take, store: Store) -> None:
    first = await _taken(take, "one")
    second = await _taken(take, "two")
    async with store() as work:
        await work.leases.give_back(first)
        await work.commit()
    assert await _renew(store, second) is True


async def test_required_lease_cannot_be_taken_over_before_the_commit(take: Take, store: Store) -> None:
    lease = await _taken(take, "one")
    async with store() as work:
        await work.leases.require(lease)
        other = asyncio.create_task(_taken(take, "two"))
        done, _ = await asyncio.wait([other], timeout=LEASE_SECONDS * 1.5)
        assert not done
        await work.commit()
        assert (await other).token == lease.token + 1
    with pytest.raises(LostLease):
        await _require(store, lease)


async def _require(store: Store, lease: Lease) -> None:
    async with store() as work:
        await work.leases.require(lease)


async def test_leases_of_different_deployments_do_not_touch(store: Store) -> None:
    async with store() as work:
        one = await work.leases.take("tenant", "aaa-111", "one")
        two = await work.leases.take("tenant", "another", "two")
        await work.commit()
    assert one is not None
    assert two is not None


async def test_end_so_late_that_the_clock_was_set_back_is_none(take: Take, postgres_url: str) -> None:
    await _taken(take, "one")
    _expire(postgres_url, "clock_timestamp() + interval '1 hour'")
    assert await take("two") is not None


async def test_lease_that_has_ended_is_not_renewed_although_nobody_has_taken_it(
    take: Take, store: Store, postgres_url: str
) -> None:
    lease = await _taken(take, "one")
    _expire(postgres_url, "clock_timestamp() - interval '1 s'")
    assert await _renew(store, lease) is False
    await _require(store, lease)  # a round may last longer than the lease: what it writes is still its own
    again = await take("one")
    assert again == lease
    assert await _renew(store, lease) is True


@pytest.mark.parametrize("given_back", [True, False])
async def test_lease_says_for_how_long_nobody_had_it(
    take: Take, store: Store, postgres_url: str, given_back: bool
) -> None:
    first = await _taken(take, "one")
    assert (first.unattended, first.taken_over) == (timedelta(), False)
    if given_back:
        async with store() as work:
            await work.leases.give_back(first)
            await work.commit()
    _expire(postgres_url, "clock_timestamp() - interval '100 s'")
    second = await _taken(take, "two")
    since_renewal = 0 if given_back else LEASE_SECONDS
    assert 100 <= second.unattended.total_seconds() - since_renewal < 130
    assert second.taken_over is not given_back


async def test_giving_back_late_hides_no_time_without_a_holder(take: Take, store: Store, postgres_url: str) -> None:
    first = await _taken(take, "one")
    _expire(postgres_url, "clock_timestamp() - interval '100 s'")
    async with store() as work:
        await work.leases.give_back(first)
        await work.commit()
    assert (await _taken(take, "two")).unattended >= timedelta(seconds=100)


def _expire(postgres_url: str, when: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"UPDATE lease SET expires_at = {when}")
