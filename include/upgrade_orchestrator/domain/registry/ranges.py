"""Version ranges in the notations of PEP 440, npm, Cargo, Helm, Maven and Debian (specification section 1).

A range is read into alternatives of clauses; ``clauses`` has what a clause means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from upgrade_orchestrator.domain.registry.clauses import Clause, clauses_of
from upgrade_orchestrator.domain.registry.texts import quoted
from upgrade_orchestrator.domain.registry.versions import Version

_ANY = frozenset({"*", "x", "X"})
_HYPHEN = re.compile(r"(?P<low>[^\s,|]+)\s+-\s+(?P<high>[^\s,|]+)")
_CLAUSE = re.compile(
    r"(?P<operator>===?|!=|~=|~>|>=|<=|>>|<<|[=<>^~])?\s*(?P<version>(?:[0-9]+!)?[0-9a-zA-Z*][^\s,|()\[\]<>=!^]*)"
)
_PARENTHESES = re.compile(r"\(\s*((?:===?|!=|~=|~>|>=|<=|>>|<<|[=<>^~])[^()]*)\)")
_SEPARATOR = re.compile(r"\s*,\s*|\s+|$")
_INTERVAL = re.compile(
    r"\s*(?P<open>[\[(])\s*(?P<low>[^,\[\]()\s]*)\s*(?:(?P<comma>,)\s*(?P<high>[^,\[\]()\s]*)\s*)?(?P<close>[\])])\s*"
)
_TODO = "write a range such as >=15,<18 or ^1.2.3, with || between alternatives"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Alternatives, each a conjunction of clauses; a bare version means exactly that version, ``*`` any."""

    text: str
    alternatives: tuple[tuple[Clause, ...], ...]
    warnings: tuple[str, ...] = ()
    """What may be meant in another way, and how to write that."""

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """:raises ValueError: ``text`` is not a range; the message quotes all of it and says what to write."""
        try:
            return _parse(text)
        except ValueError as error:
            raise ValueError(f"{quoted(text)} is not a version range: {error}; {_TODO}") from None

    def allows(self, version: str) -> bool:
        """True when ``version`` satisfies every clause of an alternative.

        :raises ValueError: ``version`` has no order.
        """
        found = Version.parse(version)
        return any(all(clause.allows(found) for clause in each) for each in self.alternatives)


def _parse(text: str) -> VersionRange:
    if _INTERVAL.match(text):
        return VersionRange(text, tuple(_intervals(text)))
    parts = [each.strip() for each in re.split(r"\|\|?", text)]
    read = [_conjunction(each) for each in parts]
    return VersionRange(text, tuple(clauses for clauses, _ in read), tuple(said for _, more in read for said in more))


def _conjunction(text: str) -> tuple[tuple[Clause, ...], list[str]]:
    if not text:
        raise ValueError("there is nothing to read")
    if text in _ANY:
        return (), []
    if match := _HYPHEN.fullmatch(text):
        return (*clauses_of(">=", match["low"]), *clauses_of("<=*", match["high"])), []
    given = _split(_PARENTHESES.sub(r"\1", text))
    clauses = tuple(clause for operator, version in given for clause in clauses_of(operator, version))
    bare = [version for operator, version in given if not operator and not _is_series(version)]
    if bare and len(given) > 1:
        raise ValueError(f"{bare[0]!r} has no operator")
    return clauses, [*map(_bare, bare), *(_pessimistic(version) for operator, version in given if operator == "~>")]


def _split(text: str) -> list[tuple[str, str]]:
    """Operators and versions, with a comma or blanks between them."""
    given, at = [], 0
    while at < len(text):
        clause = _CLAUSE.match(text, at)
        after = _SEPARATOR.match(text, clause.end()) if clause else None
        if clause is None or after is None or ("," in after[0] and after.end() == len(text)):
            raise ValueError(f"it cannot be read from {text[at:].strip()[:60]!r} on")
        given.append((clause["operator"] or "", clause["version"]))
        at = after.end()
    return given


def _is_series(version: str) -> bool:
    return version.rpartition(".")[2] in _ANY


def _bare(version: str) -> str:
    return f"{version} means exactly {version}: write =={version} if that is meant, or >={version} or ^{version}"


def _pessimistic(version: str) -> str:
    return f"~> {version} is read as Ruby and Terraform read it; where ~{version} of npm is meant, write that"


def _intervals(text: str) -> list[tuple[Clause, ...]]:
    """The union of Maven's intervals, ``[1,2),[3,4)``; one version in brackets is exactly that one."""
    found, at = [], 0
    while match := _INTERVAL.match(text, at):
        found.append(_interval(match))
        at = match.end()
        if at == len(text):
            return found
        if text[at] != ",":
            break
        at += 1
    raise ValueError(f"from {text[at:][:60]!r} on it is no union of intervals such as [1.0,2.0),[3.0,4.0)")


def _interval(match: re.Match[str]) -> tuple[Clause, ...]:
    low, high = match["low"], match["high"]
    if match["comma"] is None:
        if match["open"] + match["close"] != "[]" or not low:
            raise ValueError(f"{match[0].strip()!r} has one version, which goes into [ ]")
        return clauses_of("==", low)
    if not low and not high:
        raise ValueError(f"{match[0].strip()!r} names no version")
    above = clauses_of(">=" if match["open"] == "[" else ">", low) if low else ()
    return above + (clauses_of("<=" if match["close"] == "]" else "<", high) if high else ())
