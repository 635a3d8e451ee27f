"""What is asked of an upgrade: its start, commands, a retry, a DAG run."""
