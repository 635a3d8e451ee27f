"""The store's ports in memory, for tests and simulations: no server, and the clock is passed in.

It behaves like the PostgreSQL adapters (tests/store_contract runs the same tests on both): READ COMMITTED, row locks
until the end of the transaction, JSON columns, signals at commit. Data is lost with the process. The entry point is
``unit_of_work.MemoryUnitOfWork`` on an ``engine.database.MemoryDatabase``.
"""
