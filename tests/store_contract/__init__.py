"""What every store has to do, whatever it is made of: one suite that runs on PostgreSQL and in memory.

Each class is run where a test module subclasses it (tests/integration/store, tests/unit/adapters/memory); the folder's
conftest.py gives the fixtures:

store         makes units of work on a database that knows component aaa-111 with two versions
added         stores an execution and commits (fixtures.py)
pass_time     lets seconds pass for what is stored, or go back, without waiting for them
audit         the commands that were kept: execution, command, actor, source, reason
signals       the store's port Signals, which is Signals too
listens       returns once a new waiter would miss nothing and has been told nothing
followers, outbox, idempotency_store      the ports of those names
"""

from pkgutil import iter_modules

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{each.name}" for each in iter_modules(__path__)))
