"""The store's ports in memory: for tests and simulations on any event loop, no server and no clock of its own.

It behaves as the adapters of PostgreSQL do (tests/store_contract holds both to the same tests): READ COMMITTED, row
locks until the end of the transaction, JSON columns, signals at commit. Nothing outlives the process.
"""
