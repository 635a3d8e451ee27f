"""Airflow's own database, asked from an event loop (API server only: nothing else may open it)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from upgrade_orchestrator.domain.errors import Unavailable

T = TypeVar("T")
Session = Any

ANSWER_SECONDS = 10.0
"After which Airflow's database counts as away."


async def ask_airflow(act: Callable[[Session], T]) -> T:
    """What ``act`` makes of a session of Airflow's, in a thread; committed when it returns.

    :raises Unavailable: Airflow's database does not answer.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.to_thread(_within_session, act)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise Unavailable("Airflow's database does not answer") from error


def _within_session(act: Callable[[Session], T]) -> T:
    from airflow.utils.session import create_session

    with create_session() as session:
        return act(session)
