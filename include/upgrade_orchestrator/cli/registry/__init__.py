"""The registry as a file: ``python -m upgrade_orchestrator.cli.registry load | export`` (see docs/registry.md)."""
