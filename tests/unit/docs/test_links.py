"""Every link within the repository leads to a file and to a heading in it; CONTRIBUTING names paths that are there."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, relative
from tests.unit.docs.pages import names

FOLDERS = ("docs", "changes")
PAGES = sorted(
    [*ROOT.glob("*.md"), ROOT / "bench/README.md", *(p for each in FOLDERS for p in (ROOT / each).rglob("*.md"))]
)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PACKAGE = ROOT / "include/upgrade_orchestrator"


def _text(path: Path) -> str:
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as the hosts of repositories make them."""
    headings = [line.lstrip("#").strip() for line in text.splitlines() if re.match(r"#{1,6} ", line)]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def broken(path: Path) -> list[str]:
    found = []
    for link in (first or second for first, second in _LINK.findall(_text(path))):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (path.parent / target).resolve() if target else path
        if not there.exists() or (anchor and anchor not in anchors(_text(there))):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_link_has_an_existing_target(path: Path) -> None:
    assert broken(path) == []


def test_link_without_a_target_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A: b, `c`\n[1](#a-b-c) [2](#a) [3](gone.md) [4](https://example.org) [5](page.md#a-b-c)\n")
    assert broken(page) == ["#a", "gone.md"]


NAMING = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/adr").glob("0*.md"))]
_PATH = re.compile(r"[\w./-]+/(?:[\w-]+\.(?:py|md))?")


def absent(text: str) -> set[str]:
    """The paths in backquotes that are neither in the repository nor in the package."""
    named = {each for each in names(text) if _PATH.fullmatch(each)}
    return {each for each in named if not any((base / each).exists() for base in (ROOT, PACKAGE))}


@pytest.mark.parametrize("path", NAMING, ids=relative)
def test_paths_named_on_a_page_exist(path: Path) -> None:
    assert absent(_text(path)) == set()


def test_missing_path_is_reported() -> None:
    assert absent("`domain/plan/` `service/plan/` `docs/testing.md` `docs/gone.md` `a/b`") == {
        "service/plan/",
        "docs/gone.md",
    }
