"""Texts that people give, refused by name: what was found and what would be accepted (specification section 1)."""

from __future__ import annotations

import re
import unicodedata

MAX_VERSION = 128
"The longest version, in characters."
MAX_QUOTED = 160
"A quoted text is cut here, so that no message grows without bound."

_CONTROLS = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ue000-\uf8ff\ufeff\ufff9-\uffff"
)
_BLANKS = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
VERSION_PATTERN = rf"^[^{_CONTROLS}{_BLANKS}]([^{_CONTROLS}]*[^{_CONTROLS}{_BLANKS}])?$"
"What ``version_problem`` accepts, as a regular expression for schemas, in which no text has lone surrogates."
_CONTROL, _BLANK = re.compile(rf"[{_CONTROLS}\ud800-\udfff]"), re.compile(f"^[{_BLANKS}]|[{_BLANKS}]$")


def quoted(text: str) -> str:
    """The whole text in quotation marks; a long one is cut, and its length added."""
    if len(text) <= MAX_QUOTED:
        return repr(text)
    return f"{text[:MAX_QUOTED]!r}… ({len(text)} characters)"


def version_problem(text: str) -> str | None:
    """Why ``text`` is no version, and what to write; None when it is one: any 1 to 128 printable characters."""
    accepted = f"a version is 1 to {MAX_VERSION} printable characters, such as 3.6.0 or 1:2.3~rc1-4"
    if not text:
        return f"is empty: {accepted}"
    if len(text) > MAX_VERSION:
        return f"{quoted(text)} has {len(text)} characters: {accepted}"
    if found := _CONTROL.search(text):
        return f"{quoted(text)} contains {_name(found[0])} at position {found.start() + 1}: {accepted}"
    if _BLANK.search(text):
        return (
            f"{quoted(text)} begins or ends with a blank: write {text.strip()!r}"
            if text.strip()
            else _only_blanks(text)
        )
    return None


def _only_blanks(text: str) -> str:
    return f"{quoted(text)} is blank: write the version, such as 3.6.0"


def _name(character: str) -> str:
    return f"the control character U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
