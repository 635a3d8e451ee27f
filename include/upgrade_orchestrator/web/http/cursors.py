"""Opaque cursors (specification section 1): the position in a list at which the next page begins."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from upgrade_orchestrator.domain.errors import ValidationFailed


def encode(*parts: str) -> str:
    """The cursor for a position, URL-safe and without padding."""
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(cursor: str, count: int) -> tuple[str, ...]:
    """The ``count`` parts of the position.

    :raises ValidationFailed: it is not a cursor of this list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _bad_cursor() from None
    if not isinstance(parts, list) or len(parts) != count or not all(_is_plain(part) for part in parts):
        raise _bad_cursor()
    return tuple(parts)


def decode_moment(cursor: str) -> tuple[datetime, str]:
    """The position (createdAt, id) in a list that is ordered by time.

    :raises ValidationFailed: as ``decode``.
    """
    moment, identifier = decode(cursor, 2)
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise _bad_cursor() from None
    if found.tzinfo is None:
        raise _bad_cursor()
    return found, identifier


def decode_number(cursor: str) -> int:
    """The position in a list that is ordered by number.

    :raises ValidationFailed: as ``decode``.
    """
    (number,) = decode(cursor, 1)
    return _number(number)


def decode_position(cursor: str) -> tuple[int, int]:
    """The position in a list of entries of numbered events.

    :raises ValidationFailed: as ``decode``.
    """
    number, part = decode(cursor, 2)
    return _number(number), _number(part)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _bad_cursor()
    return int(text)


def _is_plain(part: object) -> bool:
    return isinstance(part, str) and part.isprintable() and part.isascii()


def _bad_cursor() -> ValidationFailed:
    return ValidationFailed.of("cursor", "is not a cursor of this list; use nextCursor of the previous page")
