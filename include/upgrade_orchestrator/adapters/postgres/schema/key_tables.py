"""The calls with an Idempotency-Key and their responses."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from upgrade_orchestrator.adapters.postgres.schema.columns import Id, Time, metadata

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("actor", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", Text),
    Column("created_at", Time, nullable=False, server_default=text("clock_timestamp()"), index=True),
    # which call works on it and until when it is taken to be alive, while there is no response
    Column("owner", Id),
    Column("claimed_until", Time),
)
