"""Kept answers on PostgreSQL: what every store does."""

from tests.store_contract.kept_answers import KeptAnswersContract


class TestKeptAnswers(KeptAnswersContract):
    """On PostgreSQL."""
