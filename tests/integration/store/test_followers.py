"""Followers on PostgreSQL: what every store does."""

from tests.store_contract.followers import FollowersContract


class TestFollowers(FollowersContract):
    """On PostgreSQL."""
