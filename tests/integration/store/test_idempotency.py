"""Kept answers on PostgreSQL: what every store does."""

from tests.store_contract.idempotency import KeptAnswersContract


class TestKeptAnswers(KeptAnswersContract):
    """On PostgreSQL."""
