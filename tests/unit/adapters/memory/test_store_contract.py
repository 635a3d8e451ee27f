"""The store in memory fulfils the contract of every store."""

from tests.store_contract.catalogue import CatalogueContract
from tests.store_contract.events.cursors import EventCursorsContract
from tests.store_contract.events.events import EventsContract
from tests.store_contract.events.live_feed import LiveFeedContract
from tests.store_contract.events.outbox import OutboxContract
from tests.store_contract.events.signals import SignalsContract
from tests.store_contract.executions.approvals import ApprovalsContract
from tests.store_contract.executions.board import BoardContract
from tests.store_contract.executions.executions import ExecutionsContract
from tests.store_contract.executions.history import HistoryContract
from tests.store_contract.executions.newer import NewerContract
from tests.store_contract.executions.overviews import OverviewsContract
from tests.store_contract.executions.statistics import StatisticsContract
from tests.store_contract.idempotency import IdempotencyStoreContract
from tests.store_contract.leases import LeasesContract
from tests.store_contract.registry import RegistryContract
from tests.store_contract.transactions import TransactionsContract


class TestApprovals(ApprovalsContract):
    """In memory."""


class TestBoard(BoardContract):
    """In memory."""


class TestCatalogue(CatalogueContract):
    """In memory."""


class TestEvents(EventsContract):
    """In memory."""


class TestExecutions(ExecutionsContract):
    """In memory."""


class TestEventCursors(EventCursorsContract):
    """In memory."""


class TestHistory(HistoryContract):
    """In memory."""


class TestIdempotencyStore(IdempotencyStoreContract):
    """In memory."""


class TestLeases(LeasesContract):
    """In memory."""


class TestLiveFeed(LiveFeedContract):
    """In memory."""


class TestNewer(NewerContract):
    """In memory."""


class TestOutbox(OutboxContract):
    """In memory."""


class TestOverviews(OverviewsContract):
    """In memory."""


class TestRegistry(RegistryContract):
    """In memory."""


class TestSignals(SignalsContract):
    """In memory."""


class TestStatistics(StatisticsContract):
    """In memory."""


class TestTransactions(TransactionsContract):
    """In memory."""
