"""The contract of every store: one test suite that runs on PostgreSQL and in memory.

Each class is run where a test module subclasses it (tests/integration/store, tests/unit/adapters/memory); the folder's
conftest.py gives the fixtures:

store         makes units of work on a database that knows component aaa-111 with two versions
added         stores an execution and commits (fixtures.py)
pass_time     moves the store's clock by seconds, also back, without waiting
audit         the audited commands: execution, command, actor, source, reason
signals       the store's port Signals
listens       returns once a new waiter is connected and has got no signal
followers, outbox, idempotency_store      the ports of those names
"""
