"""The idempotency store on PostgreSQL: the contract of every store."""

from tests.store_contract.idempotency import IdempotencyStoreContract


class TestIdempotencyStore(IdempotencyStoreContract):
    """On PostgreSQL."""
