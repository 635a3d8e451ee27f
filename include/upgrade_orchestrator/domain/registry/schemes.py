"""Version schemes: which of two versions is lower, and whether two texts name the same version.

Every text is a version. Where a scheme gives no order there is none, which is no error (specification section 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any

from upgrade_orchestrator.domain.registry import order
from upgrade_orchestrator.domain.registry.maven import maven_key
from upgrade_orchestrator.domain.registry.versions import MAX_COMPARED, Version, without_zeros


class Scheme(StrEnum):
    """How the versions of a component are ordered."""

    AUTO = "auto"
    "Found out by its versions."
    SEMVER = "semver"
    PEP440 = "pep440"
    DEBIAN = "debian"
    RPM = "rpm"
    MAVEN = "maven"
    OPENSSL = "openssl"
    CALVER = "calver"
    TEXT = "text"
    "No order: two versions are the same when their texts are."


_SIGNS = {
    Scheme.RPM: r".*-.*[0-9]\.(?:el|fc|amzn|azl|cm|mga|sles|suse|oe|module)[0-9_+].*",
    Scheme.DEBIAN: r"[0-9]+:.*|[0-9].*~.*|[0-9].*(?:\+deb|ubuntu|\+dfsg|\.pgdg)[0-9.-].*",
    Scheme.OPENSSL: r"v?[0-9]+\.[0-9]+\.[0-9]+[a-z]{1,2}(?:[-+].*)?",
    Scheme.CALVER: r"(?:[a-z]+[-._ ]?)?(?:19|20)[0-9]{2}[-._](?:0?[1-9]|1[0-2])(?:[^0-9].*)?",
    Scheme.PEP440: r"(?:[0-9]+!)?v?[0-9.]+(?:[._-]?(?:a|b|c|rc|alpha|beta|pre|preview|dev|post)[0-9]+)+(?:\+.*)?",
    Scheme.MAVEN: r".*[-.](?:snapshot|final|ga|release|(?:sp|m|cr|rc|alpha|beta)[0-9]+)",
}
"What only versions of a scheme look like. SemVer has no sign: it is for those that look like no other."
_FOUND = {scheme: re.compile(sign, re.IGNORECASE | re.ASCII) for scheme, sign in _SIGNS.items()}


def _maven(text: str) -> object | None:
    return maven_key(_LEADING_V.sub("", text)) if order.common(text) else None


_LEADING_V = re.compile(r"v(?=[0-9])", re.IGNORECASE)
_KEYS: dict[Scheme, Callable[[str], object | None]] = {
    Scheme.SEMVER: order.semver,
    Scheme.PEP440: order.pep440,
    Scheme.DEBIAN: order.debian,
    Scheme.RPM: order.rpm,
    Scheme.MAVEN: _maven,
    Scheme.OPENSSL: order.openssl,
    Scheme.CALVER: order.calver,
}


def scheme_of(declared: Scheme, versions: Iterable[str]) -> Scheme:
    """The scheme to compare with: the declared one; for AUTO the one that ``versions`` look like, never AUTO.

    Versions without any number at their beginning do not count; with nothing else it is TEXT.
    """
    if declared is not Scheme.AUTO:
        return declared
    numbered = [each for each in versions if key_of(Scheme.SEMVER, each) is not None]
    if not numbered:
        return Scheme.TEXT
    for scheme, sign in _FOUND.items():
        if any(sign.fullmatch(each) for each in numbered) and all(key_of(scheme, each) for each in numbered):
            return scheme
    return Scheme.SEMVER


@lru_cache(maxsize=16_384)
def key_of(scheme: Scheme, text: str) -> Any | None:
    """The sort key of a version under a scheme other than AUTO; None when it has no order."""
    make = _KEYS.get(scheme)
    return make(text) if make and len(text) <= MAX_COMPARED else None


def compare(scheme: Scheme, left: str, right: str) -> int | None:
    """-1 when ``left`` is lower than ``right``, 0 when they are equal, 1 when it is higher; None: there is no order.

    AUTO looks at these two only; the caller that knows all versions of the component asks ``scheme_of`` before.
    """
    if left == right:
        return 0
    scheme = scheme_of(scheme, (left, right))
    mine, theirs = key_of(scheme, left), key_of(scheme, right)
    if mine is None or theirs is None:
        return None
    return int(mine > theirs) - int(mine < theirs)


def is_downgrade(scheme: Scheme, old: str, new: str) -> bool:
    """True when ``new`` is lower than ``old``; False also when the two have no order."""
    return compare(scheme, old, new) == 1


def upgrade_type(scheme: Scheme, old: str, new: str) -> str | None:
    """PATCH, MINOR or MAJOR: the first number in which the two differ (section 1, riskLevel); None without an order."""
    if compare(scheme, old, new) is None:
        return None
    return type_between(numbers_of(scheme, old), numbers_of(scheme, new))


Numbers = tuple[int, int, int]
"""Epoch, first and second number of a version."""


def type_between(before: Numbers | None, after: Numbers | None) -> str | None:
    """The type of an upgrade between versions with these numbers."""
    if before is None or after is None:
        return None
    if before[:2] != after[:2]:
        return "MAJOR"
    return "MINOR" if before != after else "PATCH"


@lru_cache(maxsize=16_384)
def numbers_of(scheme: Scheme, text: str) -> Numbers | None:
    """The numbers by which an upgrade has its type; None when ``text`` does not begin with any."""
    try:
        found = Version.parse(order.dotted(text) if scheme is Scheme.CALVER else text)
    except ValueError:
        return None
    return found.epoch, found.part(0), found.part(1)


_PLAIN = re.compile(r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)
_MARK = re.compile(r"(?P<version>[^+\s]+)(?P<mark>\+\S*)?(?P<comment>\s.*)?", re.DOTALL)
_REBUILT = re.compile(r"(?P<version>.+?)(?P<mark>\+b[0-9]+)?(?P<comment>$)", re.DOTALL)
"In packages a plus sign is a part of the version; only Debian's mark of a rebuild is none."


def same_version(scheme: Scheme, left: str, right: str) -> bool:
    """Whether both texts name the same version (section 4, "Same version"); never raises.

    Equal texts do. Otherwise, except under TEXT, also two that are equal under the scheme, without a leading "v", zeros
    at the end, and a build mark or comment that only one of them has: ``v3.7.0``, ``3.7`` and ``3.7.0+b5`` are 3.7.0.
    """
    if left == right:
        return True
    scheme = scheme_of(scheme, (left, right))
    if scheme is Scheme.TEXT or max(len(left), len(right)) > MAX_COMPARED:
        return False
    (one, *marks), (other, *other_marks) = (_without_marks(scheme, each) for each in (left, right))
    if any(a and b and a != b for a, b in zip(marks, other_marks, strict=True)):
        return False
    return compare(scheme, one, other) == 0 or (_plain(one) is not None and _plain(one) == _plain(other))


def _without_marks(scheme: Scheme, text: str) -> tuple[str, str, str]:
    """The version, its build mark and its comment."""
    match = (_REBUILT if scheme in (Scheme.DEBIAN, Scheme.RPM) else _MARK).fullmatch(text.strip())
    return (match["version"], match["mark"] or "", match["comment"] or "") if match else (text, "", "")


def _plain(text: str) -> tuple[int, ...] | None:
    match = _PLAIN.fullmatch(text)
    return without_zeros(tuple(int(each) for each in match["numbers"].split("."))) if match else None
