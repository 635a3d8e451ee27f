"""The store on PostgreSQL does what every store has to do."""

from tests.store_contract.approvals import ApprovalsContract
from tests.store_contract.board import BoardContract
from tests.store_contract.events import EventsContract
from tests.store_contract.executions import ExecutionsContract
from tests.store_contract.followers import FollowersContract
from tests.store_contract.history import HistoryContract
from tests.store_contract.kept_answers import KeptAnswersContract
from tests.store_contract.leases import LeasesContract
from tests.store_contract.live_feed import LiveFeedContract
from tests.store_contract.outbox import OutboxContract
from tests.store_contract.overviews import OverviewsContract
from tests.store_contract.registry import RegistryContract
from tests.store_contract.signals import SignalsContract
from tests.store_contract.statistics import StatisticsContract
from tests.store_contract.transactions import TransactionsContract


class TestApprovals(ApprovalsContract):
    """On PostgreSQL."""


class TestBoard(BoardContract):
    """On PostgreSQL."""


class TestEvents(EventsContract):
    """On PostgreSQL."""


class TestExecutions(ExecutionsContract):
    """On PostgreSQL."""


class TestFollowers(FollowersContract):
    """On PostgreSQL."""


class TestHistory(HistoryContract):
    """On PostgreSQL."""


class TestKeptAnswers(KeptAnswersContract):
    """On PostgreSQL."""


class TestLeases(LeasesContract):
    """On PostgreSQL."""


class TestLiveFeed(LiveFeedContract):
    """On PostgreSQL."""


class TestOutbox(OutboxContract):
    """On PostgreSQL."""


class TestOverviews(OverviewsContract):
    """On PostgreSQL."""


class TestRegistry(RegistryContract):
    """On PostgreSQL."""


class TestSignals(SignalsContract):
    """On PostgreSQL."""


class TestStatistics(StatisticsContract):
    """On PostgreSQL."""


class TestTransactions(TransactionsContract):
    """On PostgreSQL."""
