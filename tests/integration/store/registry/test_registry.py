"""The component registry on PostgreSQL: what every store does."""

from tests.store_contract.registry import RegistryContract


class TestRegistry(RegistryContract):
    """On PostgreSQL."""
