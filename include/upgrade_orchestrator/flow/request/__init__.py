"""The DAG that requests an upgrade (create, start, follow); the entry point is ``dag.build_upgrade_request``."""
