"""The component registry on PostgreSQL: what every store does."""

from tests.store_contract.catalogue import CatalogueContract
from tests.store_contract.registry import RegistryContract


class TestCatalogue(CatalogueContract):
    """On PostgreSQL."""


class TestRegistry(RegistryContract):
    """On PostgreSQL."""
