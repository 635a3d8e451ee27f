"""The positions of readers that read every event once, and the state of the relay."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

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

relay = Table(
    "relay",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("noted_at", Time, nullable=False),
)
