"""The bench on the real store."""

from collections.abc import Iterator

import pytest

from tests.lifecycle.bench import Bench
from tests.lifecycle.stores.postgres import PostgresStore


@pytest.fixture
def bench(postgres_url: str) -> Iterator[Bench]:
    made = Bench(PostgresStore(postgres_url))
    yield made
    made.close()
