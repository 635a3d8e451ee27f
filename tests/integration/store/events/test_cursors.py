"""EventCursors on PostgreSQL: what every store does."""

from tests.store_contract.events.cursors import FollowersContract


class TestFollowers(FollowersContract):
    """On PostgreSQL."""
