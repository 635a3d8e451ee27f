"""The contract of the store of executions, and of what is read of them: overviews, board, statistics, approvals."""
