"""One clause of a version range: an operator and a version (specification section 1, ranges)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.texts import quoted
from upgrade_orchestrator.domain.registry.versions import Version

_SERIES = re.compile(r"(?P<numbers>(?:[0-9]+!)?v?[0-9]+(?:\.[0-9]+)*)(?:\.[*xX])+", re.IGNORECASE)
_SAME = {"": "==", "=": "==", "===": "==", "<<": "<", ">>": ">"}


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison with a version. ``series``: with all versions that begin with the same ``series`` numbers (0: no).

    A vendor's suffix of the version found counts only if this one has one too: 1.29.4-eks-1 is ``<=1.29.4``.
    """

    operator: str
    version: Version
    series: int = 0

    def allows(self, found: Version) -> bool:
        """True when ``found`` satisfies the clause."""
        if self.series:
            return self._compare_series(found)
        mine, theirs = (self.version.key, found.key) if self.version.suffix else (self.version.core, found.core)
        match self.operator:
            case "==":
                return theirs == mine
            case "!=":
                return theirs != mine
            case ">=":
                return theirs >= mine
            case "<=":
                return theirs <= mine
            case ">":
                return theirs > mine
        # <18 must not match 18.0.0-rc.1, although a pre-release sorts before its release
        early = found.is_prerelease and not self.version.is_prerelease and self._begins(found, 10)
        return theirs < mine and not early

    def _compare_series(self, found: Version) -> bool:
        inside = self._begins(found, self.series)
        match self.operator:
            case "==":
                return inside
            case "!=":
                return not inside
            case "<=":
                return inside or found.core < self.version.core
            case ">":
                return not inside and found.core > self.version.core
        raise AssertionError(self.operator)  # clauses_of makes no other

    def _begins(self, found: Version, numbers: int) -> bool:
        same = all(found.part(index) == self.version.part(index) for index in range(numbers))
        return same and found.epoch == self.version.epoch


def clauses_of(operator: str, text: str) -> tuple[Clause, ...]:
    """What ``operator`` and a version or series mean; ``<=*``: at most, with all that begin with a shorter version.

    :raises ValueError: they mean nothing together, or ``text`` is no version.
    """
    operator = _SAME.get(operator, operator)
    if match := _SERIES.fullmatch(text):
        return _series(operator, _version(match["numbers"]))
    version = _version(text)
    if operator in _KEPT:
        return Clause(">=", version), Clause("==", version, _kept(operator, version))
    if operator == "<=*":
        return (Clause("<=", version, len(version.release) if len(version.release) < 3 and not version.rest else 0),)
    return (Clause(operator, version),)


def _version(text: str) -> Version:
    if "*" in text:
        raise ValueError(f"{quoted(text)}: .* goes behind numbers only")
    try:
        version = Version.parse(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} does not begin with a number") from None
    if _UNTIDY.search(text):
        raise ValueError(f"{quoted(text)} has a dot or hyphen too many")
    return version


_UNTIDY = re.compile(r"\.\.|--|[.-]$")
_KEPT = ("^", "~", "~>", "~=")


def _kept(operator: str, version: Version) -> int:
    """How many numbers at the beginning stay the same under ``^``, ``~``, ``~>`` or ``~=``."""
    given = len(version.release)
    if operator == "^":
        change = next((index for index, number in enumerate(version.release) if number), given - 1)
        return change + 1
    if operator == "~":
        return min(given, 2)
    if operator == "~=" and given < 2:
        raise ValueError(f"~={version.text} needs two numbers, such as ~={version.text}.0")
    return max(given - 1, 1)


def _series(operator: str, version: Version) -> tuple[Clause, ...]:
    given = len(version.release)
    match operator:
        case "==" | "!=" | ">" | "<=":
            return (Clause(operator, version, given),)
        case "<=*":
            return (Clause("<=", version, given),)
        case ">=" | "<":
            return (Clause(operator, version),)
        case "~" | "^":
            return Clause(">=", version), Clause("==", version, min(given, _kept(operator, version)))
    raise ValueError(f"{operator} does not go with the series {version.text}.*")
