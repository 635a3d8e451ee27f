"""Events in memory: the log, the outbox, the cursors of readers, and the signals that are sent at commit."""
