"""The state in PostgreSQL (the store's ports), its tables and its migrations.

In come the domain's values through a unit of work; out come rows, and NOTIFY signals at commit. The front door is
``unit_of_work.PostgresUnitOfWork``; ``idempotency``, ``events.outbox`` and ``events.cursors`` have their own
transactions. ``migrate`` brings a database to the newest schema; nothing is migrated at import.
"""
