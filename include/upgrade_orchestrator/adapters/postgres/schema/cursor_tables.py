"""The positions of readers that read every event once."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, Time, metadata

followed = Table(
    "followed",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("follower", String(16), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

follower = Table(
    "follower",
    metadata,
    Column("name", String(16), primary_key=True),
    # when it had last read everything
    Column("caught_up_at", Time, nullable=False),
)
