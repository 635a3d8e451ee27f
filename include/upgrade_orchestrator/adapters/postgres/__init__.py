"""State in PostgreSQL: tables, store and migrations."""
