"""The event log on PostgreSQL: what every store does."""

from tests.store_contract.events.events import EventsContract


class TestEvents(EventsContract):
    """On PostgreSQL."""
