"""Versions and version ranges: "3.6.0", "4.0.0-rc.1", ">=15,<18" (specification section 1, version.dependencies)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_VERSION = re.compile(
    r"v?(?P<release>\d{1,18}(?:\.\d{1,18}){0,7})(?:[-.]?(?P<stage>alpha|beta|rc|a|b)[-.]?(?P<number>\d{1,18})?)?(?:\+[0-9A-Za-z.-]+)?"
)
_CLAUSE = re.compile(r"(?P<operator>~=|==|!=|>=|<=|>|<)?\s*(?P<version>[^\s*]+?)(?P<wildcard>\.\*)?")
_STAGES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "rc": 2}
_FINAL = (3, 0)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version that can be compared; trailing zeros and build metadata do not matter (16.1 == 16.1.0)."""

    text: str
    release: tuple[int, ...]
    stage: tuple[int, int]

    @classmethod
    def parse(cls, text: str) -> Version:
        """:raises ValueError: ``text`` is not a version; the message shows examples."""
        match = _VERSION.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is not a version such as 3.6.0 or 4.0.0-rc.1")
        release = tuple(int(part) for part in match["release"].split("."))
        stage = (_STAGES[match["stage"]], int(match["number"] or 0)) if match["stage"] else _FINAL
        return cls(text, release, stage)

    @property
    def is_prerelease(self) -> bool:
        """True for alpha, beta and release candidates."""
        return self.stage != _FINAL

    @property
    def _key(self) -> tuple[tuple[int, ...], tuple[int, int]]:
        release = self.release
        while release and release[-1] == 0:
            release = release[:-1]
        return release, self.stage

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def part(self, index: int) -> int:
        """The ``index``-th number, 0 when the version is shorter."""
        return self.release[index] if index < len(self.release) else 0


def upgrade_type(old: str, new: str) -> str:
    """PATCH, MINOR or MAJOR: the first number in which the two versions differ (section 1, riskLevel)."""
    before, after = Version.parse(old), Version.parse(new)
    if before.part(0) != after.part(0):
        return "MAJOR"
    return "MINOR" if before.part(1) != after.part(1) else "PATCH"


def is_downgrade(old: str, new: str) -> bool:
    """True when ``new`` is lower than ``old``; False also for names such as "jammy", which have no order."""
    try:
        return Version.parse(new) < Version.parse(old)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Clause:
    operator: str
    version: Version
    wildcard: bool

    def allows(self, found: Version) -> bool:
        if self.wildcard:
            return self._in_series(found, len(self.version.release)) is (self.operator == "==")
        if self.operator == "~=":
            return found >= self.version and self._in_series(found, len(self.version.release) - 1)
        return self._compare(found)

    def _in_series(self, found: Version, length: int) -> bool:
        return all(found.part(index) == self.version.part(index) for index in range(length))

    def _compare(self, found: Version) -> bool:
        same_release_pre = found.is_prerelease and not self.version.is_prerelease and self._same_release(found)
        outcomes = {
            "==": found == self.version,
            "!=": found != self.version,
            ">=": found >= self.version,
            "<=": found <= self.version,
            ">": found > self.version,
            # <18 must not match 18.0.0-rc.1, although a pre-release sorts before its release
            "<": found < self.version and not same_release_pre,
        }
        return outcomes[self.operator]

    def _same_release(self, found: Version) -> bool:
        return self._in_series(found, max(len(found.release), len(self.version.release)))


def _parse_clause(text: str) -> _Clause:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a version range such as >=15,<18")
    operator = match["operator"] or "=="
    version = Version.parse(match["version"])
    if match["wildcard"] and (operator not in ("==", "!=") or version.is_prerelease):
        raise ValueError(f"{text!r}: .* goes with == and != and numbers only")
    if operator == "~=" and len(version.release) < 2:
        raise ValueError(f"{text!r}: ~= needs at least two numbers, such as ~=3.6")
    return _Clause(operator, version, match["wildcard"] is not None)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A conjunction of clauses: ``>=15,<18``; a bare version means exactly that version, ``*`` any."""

    text: str
    clauses: tuple[_Clause, ...]

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """:raises ValueError: ``text`` is not a range; the message shows an example."""
        if text.strip() == "*":
            return cls(text, ())
        return cls(text, tuple(_parse_clause(part) for part in text.split(",")))

    def allows(self, version: str) -> bool:
        """True when ``version`` satisfies every clause.

        :raises ValueError: ``version`` is not a version.
        """
        found = Version.parse(version)
        return all(clause.allows(found) for clause in self.clauses)
