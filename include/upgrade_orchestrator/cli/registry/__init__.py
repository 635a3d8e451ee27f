"""The registry as a file: ``airflow upgrades registry load | export`` (see docs/registry.md)."""
