"""What has changed a deployment since, on PostgreSQL: what every store does."""

from tests.store_contract.executions.newer import NewerContract


class TestNewer(NewerContract):
    """On PostgreSQL."""
