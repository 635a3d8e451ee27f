"""Executions in PostgreSQL, with their batches, instances, checks, approvals, overviews and statistics.

Statements that runners execute all the time are built once, at import. ``dag_specs`` is the exception in style: it
uses plain psycopg, because every parse of a dag file waits for it.
"""
