"""Ids minted here: UUIDv7, so that they sort by time (contract, "Ids")."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then randomness."""
    return _uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def id_for(name: str, at: datetime) -> str:
    """The one id of what is called ``name`` and began at ``at``: a UUIDv7 with a hash in the place of randomness."""
    digest = hashlib.sha256(f"{name} {at.astimezone(UTC).isoformat()}".encode()).digest()
    return _uuid7(int(at.timestamp() * 1000), digest[:10])


def _uuid7(milliseconds: int, tail: bytes) -> str:
    bits = int.from_bytes(tail, "big") & ~(0xF << 76) & ~(0b11 << 62)
    return str(UUID(int=(milliseconds << 80) | bits | (0x7 << 76) | (0b10 << 62)))
