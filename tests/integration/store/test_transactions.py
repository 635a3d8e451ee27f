"""Units of work on PostgreSQL: what every store does."""

from tests.store_contract.transactions import TransactionsContract


class TestTransactions(TransactionsContract):
    """On PostgreSQL."""
