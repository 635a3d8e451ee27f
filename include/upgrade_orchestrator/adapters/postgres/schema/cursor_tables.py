"""The positions of readers that read every event once."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, metadata

followed = Table(
    "followed",
    metadata,
    Column("execution_id", Id, ForeignKey("execution.id", ondelete="CASCADE"), primary_key=True),
    Column("follower", String(16), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
