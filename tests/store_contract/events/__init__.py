"""The contract of the event log and of all that reads it: signals, cursors, outbox, live feed."""
