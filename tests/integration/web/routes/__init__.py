"""Executions over REST: create, commands, lists, approvals, statistics; and the health of the service."""
