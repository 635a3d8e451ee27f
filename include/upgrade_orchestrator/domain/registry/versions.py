"""The common reading of a version, for ranges and for components without a scheme of their own.

``[epoch:]numbers[pre-release][vendor's suffix][+build mark][ comment]``: "3.6.0", "4.0.0-rc.1", "v1.29.4-eks-036c24b",
"16.4 (Debian 16.4-1)" (specification section 1, versions and ranges).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from upgrade_orchestrator.domain.registry.texts import quoted

Key = tuple[object, ...]
MAX_COMPARED = 300
"Longer texts, which only a fleet can report, have no order."

_VERSION = re.compile(
    r"(?:(?P<epoch>[0-9]+)[:!])?(?:(?:release|version|ver|v)[-._ ]?)?(?P<release>[0-9]+(?:\.[0-9]+){0,9})"
    r"(?P<rest>[^+\s]*)(?P<build>\+\S*)?(?P<comment>\s.*)?"
)
_DATE = re.compile(
    r"(?P<year>(?:19|20)[0-9]{2})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?:t(?P<clock>[0-9]{2}(?:[-:]?[0-9]{2}){0,2})z?)?"
)
_STAGE = re.compile(
    r"[-._~]*(?P<name>alpha|beta|milestone|preview|pre|dev|snapshot|nightly|rc|cr|[abcm](?=[-._]?[0-9])|(?<=[-._~])[abcm])"
    r"(?![a-z])[-._]?(?P<numbers>[0-9]+(?:\.[0-9]+)*)?"
)
"A single letter is a pre-release only with a number or a separator: 1.1.1a is OpenSSL's, 1.1a1 is an alpha."
_LOWEST = re.compile(r"-0(?![0-9a-z])|~(?=$|[^a-z])")
_LAST = re.compile(r"[-._](?:final|ga|release)$")
_RANKS = {"0": -3, "dev": -2, "nightly": -2, "a": 0, "alpha": 0, "b": 1, "beta": 1, "m": 2, "milestone": 2}
_RANKS |= {"c": 3, "rc": 3, "cr": 3, "pre": 3, "preview": 3, "snapshot": 4}
_FINAL = (5, ())


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version that can be compared; trailing zeros, build marks and comments do not matter (16.1 == 16.1.0)."""

    text: str
    epoch: int
    release: tuple[int, ...]
    stages: tuple[tuple[int, tuple[int, ...]], ...]
    suffix: str
    rest: str
    """All that follows the numbers, in lower case, without build mark and comment."""

    @classmethod
    def parse(cls, text: str) -> Version:
        """:raises ValueError: ``text`` does not begin with a number; the message says what to write."""
        match = _VERSION.fullmatch(_with_dots(text.strip().lower())) if len(text) <= MAX_COMPARED else None
        if match is None:
            raise ValueError(f"{quoted(text)} has no order: write a version that begins with a number, such as 3.6.0")
        release = tuple(int(part) for part in match["release"].split("."))
        stages, suffix = _stages(match["rest"])
        return cls(text, int(match["epoch"] or 0), release, stages, suffix, match["rest"])

    @property
    def is_prerelease(self) -> bool:
        """True for alphas, betas, candidates, snapshots and the like; a vendor's suffix is none."""
        return self.stages[0] != _FINAL

    @property
    def core(self) -> Key:
        """The sort key without the vendor's suffix."""
        return self.epoch, without_zeros(self.release), self.stages

    @property
    def key(self) -> Key:
        """The sort key."""
        return *self.core, natural(self.suffix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.key == other.key

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def part(self, index: int) -> int:
        """The ``index``-th number, 0 when the version is shorter."""
        return self.release[index] if index < len(self.release) else 0


def without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers without the zeros at the end."""
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers


def natural(text: str) -> Key:
    """A sort key in which numbers within a text count as numbers: "a9" before "a10"."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((1, int(each), "") if each.isdecimal() and each.isascii() else (0, 0, each) for each in parts)


def _with_dots(text: str) -> str:
    """A date such as 2024-10-13T13-34-11Z, written with dots, so that its numbers are compared one by one."""
    return _DATE.sub(lambda found: ".".join(re.findall("[0-9]+", found[0])), text, count=1)


def _stages(rest: str) -> tuple[tuple[tuple[int, tuple[int, ...]], ...], str]:
    """The pre-release that ``rest`` begins with, and the vendor's suffix after it."""
    stages, at = [], 0
    while match := _STAGE.match(rest, at):
        numbers = tuple(int(each) for each in (match["numbers"] or "").split(".") if each)
        stages.append((_RANKS[match["name"]], without_zeros(numbers)))
        at = match.end()
    if not stages and (lowest := _LOWEST.match(rest)):
        stages, at = [(_RANKS["0"], ())], lowest.end()
    return (*stages, _FINAL), _LAST.sub("", rest[at:])
