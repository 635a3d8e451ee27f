"""The DAG that requests an upgrade (create, start, follow); the front door is ``dag.build_upgrade_request``."""
