"""What a runner writes to the log of its task, and what it keeps for the history of each instance."""
