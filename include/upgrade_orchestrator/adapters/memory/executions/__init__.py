"""Executions in memory, with their batches, instances, checks, approvals, overviews and statistics."""
