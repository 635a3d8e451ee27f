"""Leases: one holder at a time by the store's clock, and tokens that only grow."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.store_contract.stores import LEASE_SECONDS, PassTime, Store
from tests.store_contract.waiting import waits
from upgrade_orchestrator.domain.errors import LostLease
from upgrade_orchestrator.service.ports.stores.leases import Lease

KEY = ("agent", "kafka")
Take = Callable[[str], Awaitable[Lease | None]]


async def taken(take: Take, owner: str) -> Lease:
    """Take a lease that must be free."""
    lease = await take(owner)
    assert lease is not None
    return lease


async def renew(store: Store, lease: Lease) -> bool:
    async with store() as work:
        kept = await work.leases.renew(lease)
        await work.commit()
        return kept


async def require(store: Store, lease: Lease) -> None:
    async with store() as work:
        await work.leases.require(lease)


async def give_back(store: Store, lease: Lease) -> None:
    async with store() as work:
        await work.leases.give_back(lease)
        await work.commit()


async def raise_own(store: Store, lease: Lease) -> Lease:
    async with store() as work:
        raised = await work.leases.raise_own(lease)
        await work.commit()
        return raised


async def raise_to(store: Store, at_least: int) -> int:
    async with store() as work:
        token = await work.leases.raise_to(*KEY, at_least)
        await work.commit()
        return token


async def take_away(store: Store) -> None:
    async with store() as work:
        await work.leases.take_away(*KEY)
        await work.commit()


class LeasesContract:
    @pytest.fixture
    def take(self, store: Store) -> Take:
        async def take_as(owner: str) -> Lease | None:
            async with store() as work:
                lease = await work.leases.take(*KEY, owner)
                await work.commit()
                return lease

        return take_as

    async def test_one_of_many_concurrent_takers_gets_the_lease(self, take: Take) -> None:
        found = await asyncio.gather(*(take(f"owner-{each}") for each in range(8)))
        assert sum(each is not None for each in found) == 1

    async def test_expired_lease_is_taken_over_with_a_higher_token(
        self, take: Take, store: Store, pass_time: PassTime
    ) -> None:
        first = await taken(take, "one")
        pass_time(LEASE_SECONDS * 0.7)
        assert await take("two") is None
        pass_time(LEASE_SECONDS * 0.3)
        second = await taken(take, "two")
        assert second.token == first.token + 1
        assert await renew(store, first) is False
        assert await renew(store, second) is True

    async def test_token_grows_at_every_take_over_but_not_for_the_same_owner(self, take: Take, store: Store) -> None:
        tokens = []
        for owner in ("one", "two", "one", "three"):
            lease = await taken(take, owner)
            again = await take(owner)
            assert again == lease
            tokens.append(lease.token)
            await give_back(store, lease)
        assert tokens == [1, 2, 3, 4]

    async def test_renewed_lease_outlives_its_first_expiry(self, take: Take, store: Store, pass_time: PassTime) -> None:
        lease = await taken(take, "one")
        for _ in range(3):
            pass_time(LEASE_SECONDS * 0.7)
            assert await renew(store, lease)
            assert await take("two") is None

    async def test_returned_lease_is_free_at_once_and_no_longer_held(self, take: Take, store: Store) -> None:
        lease = await taken(take, "one")
        await give_back(store, lease)
        assert await renew(store, lease) is False
        assert await take("two") is not None

    async def test_returning_a_lease_of_another_owner_changes_nothing(
        self, take: Take, store: Store, pass_time: PassTime
    ) -> None:
        first = await taken(take, "one")
        pass_time(LEASE_SECONDS)
        second = await taken(take, "two")
        await give_back(store, first)
        assert await renew(store, second) is True

    async def test_required_lease_cannot_be_taken_over_before_the_commit(
        self, take: Take, store: Store, pass_time: PassTime
    ) -> None:
        lease = await taken(take, "one")
        pass_time(LEASE_SECONDS)
        async with store() as work:
            await work.leases.require(lease)
            other = asyncio.create_task(taken(take, "two"))
            assert await waits(other)
            await work.commit()
            assert (await other).token == lease.token + 1
        with pytest.raises(LostLease):
            await require(store, lease)

    async def test_lease_can_be_required_by_two_transactions_at_once(self, take: Take, store: Store) -> None:
        lease = await taken(take, "one")
        async with store() as work:
            await work.leases.require(lease)
            await asyncio.wait_for(require(store, lease), 5)

    async def test_take_over_without_commit_has_no_effect(self, take: Take, store: Store, pass_time: PassTime) -> None:
        lease = await taken(take, "one")
        pass_time(LEASE_SECONDS)
        async with store() as work:
            assert await work.leases.take(*KEY, "two") is not None
            requiring = asyncio.create_task(require(store, lease))
            assert await waits(requiring)
        await requiring

    async def test_leases_of_different_fleets_are_independent(self, store: Store) -> None:
        async with store() as work:
            one = await work.leases.take("agent", "kafka", "one")
            two = await work.leases.take("agent", "another", "two")
            three = await work.leases.take("another", "kafka", "three")
            await work.commit()
        assert None not in (one, two, three)

    async def test_lease_counts_as_expired_when_the_clock_was_set_back(self, take: Take, pass_time: PassTime) -> None:
        await taken(take, "one")
        pass_time(-59)
        assert await take("two") is None
        pass_time(-5)
        assert await take("two") is not None

    async def test_expired_lease_is_not_renewed_even_if_no_other_owner_has_taken_it(
        self, take: Take, store: Store, pass_time: PassTime
    ) -> None:
        lease = await taken(take, "one")
        pass_time(LEASE_SECONDS + 1)
        assert await renew(store, lease) is False
        await require(store, lease)  # a round may last longer than the lease: what it writes is still its own
        again = await take("one")
        assert again == lease
        assert await renew(store, lease) is True

    @pytest.mark.parametrize("given_back", [True, False])
    async def test_lease_has_the_seconds_for_which_it_had_no_holder(
        self, take: Take, store: Store, pass_time: PassTime, given_back: bool
    ) -> None:
        first = await taken(take, "one")
        assert (first.unattended, first.taken_over) == (timedelta(), False)
        if given_back:
            await give_back(store, first)
        pass_time(100)
        second = await taken(take, "two")
        assert 100 <= second.unattended.total_seconds() < 130
        assert second.taken_over is not given_back

    async def test_returning_an_expired_lease_hides_no_seconds_without_a_holder(
        self, take: Take, store: Store, pass_time: PassTime
    ) -> None:
        first = await taken(take, "one")
        pass_time(LEASE_SECONDS + 100)
        await give_back(store, first)
        assert (await taken(take, "two")).unattended >= timedelta(seconds=100)

    async def test_raised_lease_stays_with_its_owner_and_its_last_token_counts_no_more(
        self, take: Take, store: Store
    ) -> None:
        lease = await taken(take, "one")
        raised = await raise_own(store, lease)
        assert (raised.owner, raised.token) == ("one", lease.token + 1)
        assert await renew(store, raised) is True
        with pytest.raises(LostLease):
            await require(store, lease)
        assert await take("one") == raised

    async def test_lease_of_another_owner_is_not_raised(self, take: Take, store: Store, pass_time: PassTime) -> None:
        first = await taken(take, "one")
        pass_time(LEASE_SECONDS)
        second = await taken(take, "two")
        with pytest.raises(LostLease):
            await raise_own(store, first)
        assert await renew(store, second) is True

    async def test_lease_raised_without_commit_has_its_last_token(self, take: Take, store: Store) -> None:
        lease = await taken(take, "one")
        async with store() as work:
            await work.leases.raise_own(lease)
        assert await renew(store, lease) is True

    @pytest.mark.parametrize(("at_least", "expected"), [(1000, 1000), (1, 1)])
    async def test_token_of_a_fleet_that_nobody_worked_on_is_raised(
        self, take: Take, store: Store, at_least: int, expected: int
    ) -> None:
        assert await raise_to(store, at_least) == expected
        lease = await taken(take, "one")
        assert (lease.token, lease.taken_over) == (expected + 1, False)

    @pytest.mark.parametrize(("at_least", "expected"), [(1000, 1000), (2**62, 2**62), (2, 2), (1, 2)])
    async def test_token_is_raised_but_never_lowered(
        self, take: Take, store: Store, at_least: int, expected: int
    ) -> None:
        for owner in ("one", "two"):
            await give_back(store, await taken(take, owner))
        assert await raise_to(store, at_least) == expected
        assert (await taken(take, "three")).token == expected + 1

    async def test_holder_whose_token_was_raised_goes_on_with_the_raised_one(self, take: Take, store: Store) -> None:
        lease = await taken(take, "one")
        assert await raise_to(store, 50) == 50
        assert await renew(store, lease) is False
        assert await take("two") is None
        assert (await taken(take, "one")).token == 50

    async def test_lease_that_was_taken_away_is_free_at_once_with_a_higher_token(
        self, take: Take, store: Store
    ) -> None:
        lease = await taken(take, "one")
        await take_away(store)
        with pytest.raises(LostLease):
            await require(store, lease)
        assert await renew(store, lease) is False
        assert (await taken(take, "two")).token == lease.token + 2

    async def test_lease_that_was_never_taken_can_be_taken_away(self, take: Take, store: Store) -> None:
        await take_away(store)
        assert (await taken(take, "one")).token == 1
