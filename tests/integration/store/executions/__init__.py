"""Executions on PostgreSQL: approvals, the board, overviews, history and statistics."""
