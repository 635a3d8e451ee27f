"""Texts that name instances: a few of them and a count of the others, so that a text has a bounded length."""

from __future__ import annotations

from collections.abc import Iterable

MOST_NAMED = 10
"How many instances a text names."
MOST_CHARACTERS = 300
"How many characters the text about one of them has, its id (at most 255) and a problem."
_OF_LINES, _BEGINNING = 220, 90
"Characters of a text of several lines, and of its beginning: fewer, so that a sentence around it is not cut itself."


def named(each_one: Iterable[str], separator: str = ", ", most: int = MOST_NAMED) -> str:
    """The first ``most`` texts, and how many more there are: ``i-1, i-2, and 9,998 more``.

    Each is an instance's id, or its id and what is wrong with it: in one line, and cut like any text.
    """
    found = list(each_one)
    shown = [_shown(each) for each in found[:most]]
    left = len(found) - len(shown)
    return separator.join([*shown, f"and {left:,} more"] if left else shown)


def _shown(text: str) -> str:
    """Of several lines that are too long the beginning and the end, because a program names its error last."""
    line = in_one_line(text)
    if line == text or len(line) <= _OF_LINES:
        return cut(line, MOST_CHARACTERS)
    return f"{line[:_BEGINNING]} … {line[_BEGINNING + 3 - _OF_LINES :]}"


def in_one_line(text: str) -> str:
    """The text without its line breaks and tabs, as in a sentence."""
    return " ".join(text.split()) if "\n" in text or "\t" in text else text


def cut(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis: at most ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 2]} …"
