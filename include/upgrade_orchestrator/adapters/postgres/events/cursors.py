"""Reading every event once, in PostgreSQL (port ``EventCursors``): one row for each reader and execution."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, text

from upgrade_orchestrator.adapters.postgres.schema import tables
from upgrade_orchestrator.adapters.postgres.unit_of_work import connected
from upgrade_orchestrator.domain.events.event_metrics import RecordedEvent
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.ports.event_cursors import LONGEST_ABSENCE, Span, Waiting

E, A = tables.execution.c, tables.approval.c
# Uses two small indexes and one row of "followed" for each hit, so the cost does not grow with stored history. What
# ended while nobody followed is read, too: from an hour before everything had last been read. That time is noted once
# a minute, and lies before the snapshot; what was committed later ended within the hour.
_SPANS = text("""
    WITH since AS MATERIALIZED (
        SELECT greatest(coalesce(min(caught_up_at), now()) - interval '1 hour', now() - :longest ::interval) AS time
        FROM follower WHERE name = :follower
    ), candidate AS MATERIALIZED (
        SELECT id, last_sequence FROM execution WHERE settled_at IS NULL
        UNION SELECT id, last_sequence FROM execution
        WHERE status <> 'PENDING' AND completed_at > (SELECT time FROM since)
    ), seen AS MATERIALIZED (
        SELECT id, last_sequence, coalesce((
            SELECT sequence FROM followed WHERE execution_id = candidate.id AND follower = :follower
        ), 0) AS sequence FROM candidate
    ), unread AS MATERIALIZED (
        SELECT id, sequence, last_sequence FROM seen WHERE last_sequence > sequence ORDER BY id LIMIT :limit
    ), caught_up AS (
        INSERT INTO follower (name, caught_up_at) SELECT :follower, now() WHERE NOT EXISTS (SELECT FROM unread)
        ON CONFLICT (name) DO UPDATE SET caught_up_at = excluded.caught_up_at
        WHERE follower.caught_up_at < excluded.caught_up_at - interval '1 minute'
    )
    SELECT id, sequence, last_sequence FROM unread ORDER BY id""")
# The first mark of an execution inserts; later ones advance from the expected position. Of two at once, one succeeds.
_MARK = text("""
    WITH span AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:afters AS bigint[]), CAST(:lasts AS bigint[]))
        AS given (execution_id, after, last)
    ), begun AS (
        INSERT INTO followed (execution_id, follower, sequence)
        SELECT execution_id, :follower, last FROM span WHERE after = 0
        ON CONFLICT DO NOTHING RETURNING execution_id
    ), moved AS (
        UPDATE followed SET sequence = span.last FROM span
        WHERE followed.execution_id = span.execution_id AND follower = :follower AND followed.sequence = span.after
        RETURNING followed.execution_id
    )
    SELECT execution_id FROM begun UNION ALL SELECT execution_id FROM moved""")
_RECORDED = text("""
    SELECT event.execution_id, event.sequence, event.what, event.data, event.time, execution.strategy,
        CASE event.what
            WHEN 'status-changed' THEN execution.started_at
            WHEN 'batch-completed' THEN batch.started_at
            WHEN 'instance-changed' THEN instance.started_at
            WHEN 'approval-decided' THEN approval.requested_at
        END AS began_at
    FROM unnest(CAST(:ids AS text[]), CAST(:afters AS bigint[]), CAST(:lasts AS bigint[]))
        AS span (execution_id, after, last)
    JOIN event ON event.execution_id = span.execution_id
        AND event.sequence > span.after AND event.sequence <= span.last AND event.what = ANY(:what)
    JOIN execution ON execution.id = event.execution_id
    LEFT JOIN batch ON event.what = 'batch-completed' AND batch.execution_id = event.execution_id
        AND batch.number = (event.data ->> 'batch')::int
    LEFT JOIN instance ON event.what = 'instance-changed' AND instance.execution_id = event.execution_id
        AND instance.instance_id = event.data ->> 'instanceId'
    LEFT JOIN approval ON event.what = 'approval-decided' AND approval.execution_id = event.execution_id
        AND approval.stage = (event.data ->> 'stage')::int
    ORDER BY event.execution_id, event.sequence""")


class PostgresEventCursors:
    """Every call is its own transaction."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def spans(self, consumer: str, limit: int) -> list[Span]:
        """Uses the small indexes of executions that are active or have just ended."""
        values = {"follower": consumer, "limit": limit, "longest": LONGEST_ABSENCE}
        found = await self._execute(_SPANS, values)
        return [Span(*row) for row in found]

    async def mark(self, consumer: str, spans: Sequence[Span]) -> list[Span]:
        """One statement, which advances only from the expected position: of two readers of a span, one gets it."""
        marked = {row.execution_id for row in await self._execute(_MARK, _arrays(spans) | {"follower": consumer})}
        return [each for each in spans if each.execution_id in marked]

    async def events(self, spans: Sequence[Span], what: Collection[str]) -> list[RecordedEvent]:
        """Ordered by execution and sequence; one statement."""
        return [_recorded(row) for row in await self._execute(_RECORDED, _arrays(spans) | {"what": list(what)})]

    async def counts(self) -> dict[tuple[str, str], int]:
        """Uses the index of taken active slots."""
        query = select(E.status, E.strategy, func.count()).where(E.settled_at.is_(None)).group_by(E.status, E.strategy)
        return {(status, strategy): count for status, strategy, count in await self._execute(query)}

    async def attention(self) -> dict[str, int]:
        """Uses the index of taken active slots."""
        code = E.attention["code"].astext
        query = select(code, func.count()).where(E.settled_at.is_(None), code.is_not(None)).group_by(code)
        return {row[0]: row[1] for row in await self._execute(query)}

    async def waiting(self) -> Waiting:
        """Of executions that hold their active slot: once one has ended, its question needs no response."""
        age = func.extract("epoch", func.clock_timestamp() - func.min(A.requested_at))
        open_ones = (A.decision.is_(None), E.settled_at.is_(None), E.completed_at.is_(None))
        joined = tables.approval.join(tables.execution, A.execution_id == E.id)
        query = select(func.count(), func.coalesce(func.greatest(age, 0), 0)).select_from(joined).where(*open_ones)
        ((count, seconds),) = await self._execute(query)
        return Waiting(count, float(seconds))

    async def _execute(self, statement: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
        async with connected(self._url) as connection:
            found = (await connection.execute(statement, values)).all()
            await connection.commit()
            return found


def _arrays(spans: Sequence[Span]) -> dict[str, Any]:
    return {
        "ids": [each.execution_id for each in spans],
        "afters": [each.after for each in spans],
        "lasts": [each.last for each in spans],
    }


def _recorded(row: Any) -> RecordedEvent:
    what = EventType(row.what)
    return RecordedEvent(row.execution_id, row.sequence, what, row.data, row.time, row.strategy, row.began_at)
