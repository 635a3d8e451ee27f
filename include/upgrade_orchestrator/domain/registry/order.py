"""Sort keys of versions, one function for each scheme; None for a text that the scheme does not order.

The tests compare each with the library that implements its scheme (decision record 27).
"""

from __future__ import annotations

import re

from upgrade_orchestrator.domain.registry.versions import Key, Version, natural, without_zeros

_SEMVER_STAGE = re.compile("[0-9]+|[a-z]+")
_PEP440 = re.compile(
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_number>[0-9]*))?"
    r"(?P<post>-(?P<implicit>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]*))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?"
)
_DEBIAN = re.compile(r"(?:(?P<epoch>[0-9]+):)?(?P<upstream>[0-9][A-Za-z0-9.+:~-]*?)(?:-(?P<revision>[A-Za-z0-9+.~]+))?")
_RPM = re.compile(
    r"(?:(?P<epoch>[0-9]+):)?(?P<version>[A-Za-z0-9][A-Za-z0-9._+~^]*)(?:-(?P<release>[A-Za-z0-9._+~^]+))?"
)
_OPENSSL = re.compile(r"v?(?P<release>[0-9]+(?:\.[0-9]+)+)(?P<letters>[a-z]{0,2})(?P<rest>[-.].*)?")


def common(text: str) -> Key | None:
    """The common reading: numbers, pre-release, vendor's suffix."""
    found = _read(text)
    return found.key if found else None


def semver(text: str) -> Key | None:
    """SemVer 2.0, section 11; what is no pre-release is a vendor's suffix, which comes after the release."""
    found = _read(text)
    if found is None:
        return None
    core = found.epoch, without_zeros(found.release)
    if not found.is_prerelease:
        return *core, (1,), natural(found.suffix)
    rest = found.rest
    parts = rest[1:].split(".") if rest.startswith("-") else _SEMVER_STAGE.findall(rest)
    return *core, (0, *(_identifier(each) for each in parts)), ()


def _identifier(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)


def calver(text: str) -> Key | None:
    """Dates and numbers, whatever separates them."""
    return common(dotted(text))


def dotted(text: str) -> str:
    """The text with dots between its numbers, instead of hyphens and underscores."""
    return re.sub(r"(?<=[0-9])[-_](?=[0-9])", ".", text)


def pep440(text: str) -> Key | None:
    """PEP 440; the local version is a build mark and does not count."""
    match = _PEP440.fullmatch(text.strip().lower())
    if match is None:
        return None
    release = without_zeros(tuple(int(each) for each in match["release"].split(".")))
    return int(match["epoch"] or 0), release, _pre(match), _post(match), _dev(match)


def _pre(match: re.Match[str]) -> tuple[int, int]:
    if match["pre"]:
        return {"a": 0, "b": 1}.get(match["pre"][0], 2), int(match["pre_number"] or 0)
    return (-1, 0) if match["dev"] and not match["post"] else (3, 0)


def _post(match: re.Match[str]) -> int:
    return int(match["implicit"] or match["post_number"] or 0) if match["post"] else -1


def _dev(match: re.Match[str]) -> tuple[int, int]:
    return (0, int(match["dev_number"] or 0)) if match["dev"] else (1, 0)


def debian(text: str) -> Key | None:
    """As dpkg: epoch, upstream version and revision; "~" comes before the end, letters before other characters."""
    match = _DEBIAN.fullmatch(text)
    if match is None:
        return None
    return int(match["epoch"] or 0), _debian_part(match["upstream"]), _debian_part(match["revision"] or "0")


def _debian_part(text: str) -> Key:
    parts = re.findall(r"([^0-9]*)([0-9]*)", text)[:-1]
    return tuple(((*map(_debian_rank, before), 0), int(number or 0)) for before, number in [*parts, ("", "")])


def _debian_rank(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def rpm(text: str) -> Key | None:
    """As rpm: epoch, version and release; "~" comes before the end, "^" after it, numbers after letters."""
    match = _RPM.fullmatch(text)
    if match is None:
        return None
    return int(match["epoch"] or 0), _rpm_part(match["version"]), _rpm_part(match["release"] or "")


_RPM_MARKS: dict[str, tuple[int, int, str]] = {"~": (-2, 0, ""), "": (-1, 0, ""), "^": (0, 0, "")}


def _rpm_part(text: str) -> Key:
    parts = [*re.findall("[0-9]+|[A-Za-z]+|[~^]", text), ""]
    return tuple(_RPM_MARKS.get(each) or ((2, int(each), "") if each.isdecimal() else (1, 0, each)) for each in parts)


def openssl(text: str) -> Key | None:
    """OpenSSL: letters after the numbers are patches (1.1.1 < 1.1.1a < 1.1.1z < 1.1.1za), betas come before."""
    match = _OPENSSL.fullmatch(text.strip().lower())
    after = _read(f"0{match['rest'] or ''}") if match else None
    if match is None or after is None:
        return None
    release = without_zeros(tuple(int(each) for each in match["release"].split(".")))
    return release, (len(match["letters"]), match["letters"]), after.stages, natural(after.suffix)


def _read(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None
