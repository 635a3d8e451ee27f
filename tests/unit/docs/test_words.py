"""The documents are in plain English: some words of an earlier style do not come back."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, relative
from tests.unit.docs.test_links import PAGES

LEFT_OUT = {
    "docs/performance.md",
    "docs/events.md",
    "docs/testing.md",
    "bench/README.md",
}
"""Pages that are generated from the code or quote names of its parts."""
UNWANTED = re.compile(r"\b(whoever|somebody|anew|told|what (?:becomes|became) of)\b", re.IGNORECASE)
QUOTED = re.compile(r"`[^`]*`|^\| `upgrades\..*$", re.MULTILINE)
"Code, and the rows that another test compares with the code."


def unwanted_in(text: str) -> list[str]:
    return UNWANTED.findall(QUOTED.sub("", text))


@pytest.mark.parametrize("path", [each for each in PAGES if relative(each) not in LEFT_OUT], ids=relative)
def test_page_has_none_of_the_words(path: Path) -> None:
    assert unwanted_in(path.read_text(encoding="utf-8")) == []


def test_words_are_found_in_text_and_not_in_code() -> None:
    assert unwanted_in("Whoever runs it is told. `somebody` | x |\n| `upgrades.x` | somebody |\nretold") == [
        "Whoever",
        "told",
    ]


def test_pages_that_are_left_out_exist() -> None:
    assert {each for each in LEFT_OUT if not (ROOT / each).exists()} == set()
