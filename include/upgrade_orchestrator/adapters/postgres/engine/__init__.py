"""Connections to PostgreSQL: the pool of an event loop (``engine``), what ends them (``limits``), leader election."""
