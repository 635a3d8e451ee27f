"""The start of an upgrade, its commands, a retry, and requests by a DAG run."""
