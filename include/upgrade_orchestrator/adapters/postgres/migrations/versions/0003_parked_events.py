"""events that Kafka refuses are parked; what the relay does is noted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OUTBOX = sa.text("published_at IS NULL AND parked_at IS NULL")
_OUTBOX_BEFORE = sa.text("published_at IS NULL")
_PARKED = sa.text("parked_at IS NOT NULL")
# every event is written twice, so a fifth of the table (the default) is too much to leave lying behind the outbox
_CLEAN_SOON = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000"


def upgrade() -> None:
    op.add_column("event", sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("event", sa.Column("parked_reason", sa.Text(), nullable=True))
    op.drop_index("ix_event_outbox", table_name="event")
    op.create_index("ix_event_outbox", "event", ["execution_id", "sequence"], postgresql_where=_OUTBOX)
    op.create_index("ix_event_parked", "event", ["parked_at", "id"], postgresql_where=_PARKED)
    op.execute(f"ALTER TABLE event SET ({_CLEAN_SOON})")
    op.create_table(
        "relay",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay")),
        sa.CheckConstraint("id = 1", name=op.f("ck_relay_one_row")),
    )


def downgrade() -> None:
    op.drop_table("relay")
    op.execute("ALTER TABLE event RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)")
    op.drop_index("ix_event_parked", table_name="event", postgresql_where=_PARKED)
    op.drop_index("ix_event_outbox", table_name="event", postgresql_where=_OUTBOX)
    op.create_index("ix_event_outbox", "event", ["execution_id", "sequence"], postgresql_where=_OUTBOX_BEFORE)
    op.drop_column("event", "parked_reason")
    op.drop_column("event", "parked_at")
