"""Queries to Airflow's own database from an event loop (API server only: no other component may open it)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from upgrade_orchestrator.domain.errors import Unavailable

T = TypeVar("T")
Session = Any

ANSWER_SECONDS = 10.0
"After this time without a response, Airflow's database counts as unavailable."


async def ask_airflow(act: Callable[[Session], T]) -> T:
    """Run ``act`` with a session of Airflow's database in a thread; commit when it returns.

    :raises Unavailable: Airflow's database does not answer.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.to_thread(within_session, act)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise Unavailable("Airflow's database does not answer") from error


def within_session(act: Callable[[Session], T]) -> T:
    """Run ``act`` with a session of Airflow's database, which is committed when it returns; for code without a loop."""
    from airflow.utils.session import create_session

    with create_session() as session:
        return act(session)
