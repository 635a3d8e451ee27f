"""Events on PostgreSQL: log, outbox, cursors, signals, live feed and notifications."""
