"""A database with Airflow's own tables, and sessions of it as Airflow makes them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session, sessionmaker

from local.postgres.server import Postgres

OURS, OTHERS = "upgrade__e-1", "another"
Sessions = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(scope="module")
def airflow_url(postgres_server: Postgres) -> Iterator[str]:
    """A database with Airflow's tables."""
    from airflow.models import import_all_models
    from airflow.models.base import Base
    from airflow.models.dagrun import DagRun

    with postgres_server.connect() as connection:
        connection.execute("CREATE DATABASE airflow_tables")
    url = postgres_server.url("airflow_tables")
    import_all_models()
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    run = {"run_id": "run", "run_type": "manual", "state": "running", "run_after": datetime.now(UTC)}
    with engine.begin() as connection:
        for each in (OURS, OTHERS):
            connection.execute(insert(DagRun.__table__).values(dag_id=each, **run))
    engine.dispose()
    yield url
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE airflow_tables WITH (FORCE)")


@pytest.fixture
def sessions(airflow_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sessions]:
    """Sessions as Airflow makes them: committed at the end."""
    engine = create_engine(airflow_url)

    @contextmanager
    def create_session() -> Iterator[Session]:
        with sessionmaker(engine).begin() as session:
            yield session

    monkeypatch.setattr("airflow.utils.session.create_session", create_session)
    yield create_session
    engine.dispose()
