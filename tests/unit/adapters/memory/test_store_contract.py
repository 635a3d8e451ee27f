"""The store in memory does what every store has to do."""

from tests.store_contract.events import EventsContract
from tests.store_contract.executions import ExecutionsContract
from tests.store_contract.transactions import TransactionsContract


class TestTransactions(TransactionsContract):
    """Of the memory's."""


class TestExecutions(ExecutionsContract):
    """Of the memory's."""


class TestEvents(EventsContract):
    """Of the memory's."""
