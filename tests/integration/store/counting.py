"""Counts what is sent to PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from upgrade_orchestrator.adapters.postgres.engine.engine import engine_of


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[list[str]]:
    """The statements that are sent within."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = engine_of(url).sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)
