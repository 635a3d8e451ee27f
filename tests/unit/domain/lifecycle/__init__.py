"""The effects of failures, canaries, a retry and a rollback on an execution."""
