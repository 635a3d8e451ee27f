"""EventCursors on PostgreSQL: what every store does."""

from tests.store_contract.event_cursors import FollowersContract


class TestFollowers(FollowersContract):
    """On PostgreSQL."""
