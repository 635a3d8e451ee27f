"""The order of Maven versions (POM reference, "Version Order Specification")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cmp_to_key
from itertools import zip_longest

Token = tuple[str, int | str]
"""A token with the separator before it; digits and letters next to each other count as separated by a hyphen."""

_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_SAME = {"ga": "", "final": "", "release": "", "cr": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_PARTS = re.compile(r"(?P<separator>[.-]?)(?P<token>[0-9]+|[^0-9.-]+|(?=[.-]|$))")
_NUMBER = {".": 2, "-": 1}
_NULLS = (0, "")


def _tokens(text: str) -> Iterator[Token]:
    follows: str | None = None
    for match in _PARTS.finditer(text):
        separator, token = match["separator"], match["token"]
        if not separator and not token:
            continue
        numeric = token.isdecimal()
        glued = not separator and follows is not None
        yield ("-" if glued else separator or "."), int(token) if numeric else _qualifier(text, token, match.end())
        follows = token


def _qualifier(text: str, token: str, end: int) -> int | str:
    if not token:
        return 0
    before_number = text[end : end + 1].isdecimal()
    token = _SHORT.get(token, token) if before_number else token
    return _SAME.get(token, token)


def _trimmed(tokens: list[Token]) -> list[Token]:
    """Without tokens that mean nothing, at the end and before each hyphen."""
    kept: list[Token] = []
    for token in reversed(tokens):
        if token[1] in _NULLS and (not kept or kept[-1][0] == "-"):
            continue
        kept.append(token)
    return kept[::-1]


def _rank(token: Token) -> tuple[int, int, str]:
    separator, value = token
    if isinstance(value, int):
        return _NUMBER[separator], value, ""
    return 0, _QUALIFIERS.index(value) if value in _QUALIFIERS else len(_QUALIFIERS), value


def _compare(one: list[Token], other: list[Token]) -> int:
    for left, right in zip_longest(one, other):
        mine, theirs = _rank(left or _padding(right)), _rank(right or _padding(left))
        if mine != theirs:
            return -1 if mine < theirs else 1
    return 0


def _padding(beside: Token) -> Token:
    return beside[0], 0 if isinstance(beside[1], int) else ""


_KEY = cmp_to_key(_compare)


def maven_key(text: str) -> object:
    """A sort key; every text has one."""
    return _KEY(_trimmed(list(_tokens(text.lower()))))
