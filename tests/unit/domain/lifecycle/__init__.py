"""What failures, canaries, a retry and a rollback do to an execution."""
