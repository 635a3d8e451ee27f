"""Connections to PostgreSQL: the pool of an event loop (``engine.engine_of``) and leader election (``leader``)."""
