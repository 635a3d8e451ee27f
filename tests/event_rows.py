"""Checks the events of a database against the schemas in docs/events."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.event_types import violations_of
from upgrade_orchestrator.adapters.postgres.events.events import event_from


def violations_in(connection: "psycopg.Connection[Any]") -> list[str]:
    """What is wrong with any event in the database."""
    rows = connection.cursor(row_factory=dict_row).execute("SELECT * FROM event ORDER BY execution_id, sequence")
    return [each for row in rows for each in violations_of(event_from(row))]


def types_in(connection: "psycopg.Connection[Any]") -> set[str]:
    """The types of all events in it."""
    return {what for (what,) in connection.execute("SELECT DISTINCT what FROM event")}
