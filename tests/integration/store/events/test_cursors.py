"""EventCursors on PostgreSQL: what every store does."""

from tests.store_contract.events.cursors import EventCursorsContract


class TestEventCursors(EventCursorsContract):
    """On PostgreSQL."""
