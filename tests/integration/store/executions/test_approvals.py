"""Approvals on PostgreSQL: what every store does."""

from tests.store_contract.executions.approvals import ApprovalsContract


class TestApprovals(ApprovalsContract):
    """On PostgreSQL."""
