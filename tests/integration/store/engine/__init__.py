"""Connections to PostgreSQL, and the one process that leads."""
