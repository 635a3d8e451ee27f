"""The state in PostgreSQL (the store's ports), its tables and its migrations.

Input: the domain's values through a unit of work. Output: rows, and NOTIFY signals at commit. The entry point is
``unit_of_work.PostgresUnitOfWork``; ``idempotency``, ``events.outbox`` and ``events.cursors`` have their own
transactions. ``migrate`` brings a database to the newest schema; nothing is migrated at import.
"""
