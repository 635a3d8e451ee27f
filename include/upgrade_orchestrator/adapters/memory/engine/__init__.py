"""A small transactional database in memory: tables, row locks and READ COMMITTED transactions, as in PostgreSQL.

The entry point is ``database.MemoryDatabase``, whose ``begin`` returns a ``transaction.Transaction``.
"""
