"""Creates ids: UUIDv7, so that they sort by time."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    return _uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def id_for(name: str, at: datetime) -> str:
    """Always the same id for the same ``name`` and ``at``: a UUIDv7 with a hash instead of random bits."""
    digest = hashlib.sha256(f"{name} {at.astimezone(UTC).isoformat()}".encode()).digest()
    return _uuid7(int(at.timestamp() * 1000), digest[:10])


def _uuid7(milliseconds: int, tail: bytes) -> str:
    bits = int.from_bytes(tail, "big") & ~(0xF << 76) & ~(0b11 << 62)
    return str(UUID(int=(milliseconds << 80) | bits | (0x7 << 76) | (0b10 << 62)))
