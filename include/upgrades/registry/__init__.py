"""The registry as a file: ``python -m include.upgrades.registry load | export`` (see docs/registry.md)."""
