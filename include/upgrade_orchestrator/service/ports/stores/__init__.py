"""The stores of one database transaction: what ``unit_of_work.UnitOfWork`` reads and writes, one file for each.

Executions with their rows, their events, the component registry, leases and approvals; ``board``, ``catalogue`` and
``overviews`` only read, for lists and pages.
"""
