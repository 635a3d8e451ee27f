"""Events in PostgreSQL: the log, the outbox, the cursors of readers, and signals by LISTEN/NOTIFY.

An event is written in the transaction of the change that it reports; a trigger of the table notifies listeners at
commit. The relay reads the outbox later.
"""
