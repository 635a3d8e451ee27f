"""Shared by all tables: naming of constraints, types of ids, versions and times."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData, String, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(64)
VersionText = String(128)
Time = DateTime(timezone=True)


def created() -> Column[object]:
    """A column with the time of the insert, by the database's clock."""
    return Column("created_at", Time, nullable=False, server_default=text("clock_timestamp()"))
