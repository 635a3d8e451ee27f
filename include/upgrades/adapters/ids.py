"""Ids minted here: UUIDv7, so that they sort by time (contract, "Ids")."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big") & ~(0xF << 76) & ~(0b11 << 62)
    return str(UUID(int=(milliseconds << 80) | tail | (0x7 << 76) | (0b10 << 62)))
