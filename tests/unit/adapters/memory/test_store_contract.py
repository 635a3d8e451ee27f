"""The store in memory fulfils the contract of every store."""

from tests.store_contract.approvals import ApprovalsContract
from tests.store_contract.board import BoardContract
from tests.store_contract.event_cursors import FollowersContract
from tests.store_contract.events import EventsContract
from tests.store_contract.executions import ExecutionsContract
from tests.store_contract.history import HistoryContract
from tests.store_contract.idempotency import IdempotencyStoreContract
from tests.store_contract.leases import LeasesContract
from tests.store_contract.live_feed import LiveFeedContract
from tests.store_contract.outbox import OutboxContract
from tests.store_contract.overviews import OverviewsContract
from tests.store_contract.registry import RegistryContract
from tests.store_contract.signals import SignalsContract
from tests.store_contract.statistics import StatisticsContract
from tests.store_contract.transactions import TransactionsContract


class TestApprovals(ApprovalsContract):
    """In memory."""


class TestBoard(BoardContract):
    """In memory."""


class TestEvents(EventsContract):
    """In memory."""


class TestExecutions(ExecutionsContract):
    """In memory."""


class TestFollowers(FollowersContract):
    """In memory."""


class TestHistory(HistoryContract):
    """In memory."""


class TestIdempotencyStore(IdempotencyStoreContract):
    """In memory."""


class TestLeases(LeasesContract):
    """In memory."""


class TestLiveFeed(LiveFeedContract):
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
