"""Code and documents are in plain English: some words of an earlier style, and names made of them, stay away."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, relative
from tests.unit.docs.test_links import PAGES

UNWANTED = re.compile(
    r"(?<![a-z])(whoever|somebody|anew|told|what[_\s]+(?:becomes|became)[_\s]+of)(?![a-z])", re.IGNORECASE
)
"As a word, and as a part of a name in snake_case."
FOLDERS = ("include", "dags", "plugins", "local", "bench", "tests")
SUFFIXES = {".py", ".html", ".js", ".css", ".sql", ".sh", ".yaml", ".toml", ".xml"}
FILES = ("Makefile", "Dockerfile", "pyproject.toml", "airflow_settings.yaml", "requirements.txt")
EXEMPT = ("tests/architecture/test_words.py", "include/upgrade_orchestrator/adapters/postgres/migrations")
"This file names the words; each migration is a record of its day and is never edited again."
QUOTED = re.compile(r"^```.*?^```|`[^`\n]*`|^> [^\n]*$", re.MULTILINE | re.DOTALL)
"In documents: code, and quotations."

NOT_YET_HELD: tuple[str, ...] = ()
"Folders, with all below them, and files whose text is still being rewritten: to be emptied."


def unwanted_in(text: str) -> list[str]:
    """Each unwanted word with its line, as "3: told"."""
    return [f"{text.count(chr(10), 0, each.start()) + 1}: {each[1]}" for each in UNWANTED.finditer(text)]


def unquoted(text: str) -> str:
    """The document's text without code and quotations, on the same lines."""
    return QUOTED.sub(lambda found: "\n" * found[0].count("\n"), text)


def is_held(path: Path) -> bool:
    name = relative(path)
    return not any(name == each or name.startswith(f"{each}/") for each in (*EXEMPT, *NOT_YET_HELD))


def sources(folder: str) -> list[Path]:
    """The folder's sources, templates and scripts."""
    return [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in SUFFIXES and is_held(path)]


def found_in(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [f"{relative(path)}:{each}" for each in unwanted_in(unquoted(text) if path.suffix == ".md" else text)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_sources_of_a_folder_contain_no_banned_word(folder: str) -> None:
    assert [each for path in sources(folder) for each in found_in(path)] == []


def test_documents_contain_no_banned_word() -> None:
    pages = [*PAGES, *(ROOT / "docs").rglob("*.json"), *(ROOT / "docs").rglob("*.py")]
    assert [each for path in pages if is_held(path) for each in found_in(path)] == []


def test_files_of_the_root_folder_contain_no_banned_word() -> None:
    assert [each for name in FILES if is_held(ROOT / name) for each in found_in(ROOT / name)] == []


def test_banned_words_are_found_in_text_and_in_identifiers() -> None:
    text = 'Whoever\n  x = told_of(y)\n"""What becomes\n    of it."""\ndef test_job_is_told(): _anew'
    assert unwanted_in(text) == ["1: Whoever", "2: told", "3: What becomes\n    of", "5: told", "5: anew"]


def test_banned_words_within_other_words_are_not_reported() -> None:
    assert unwanted_in("retold toldo whoeverness, a new somebodyish thing; what comes of it") == []


def test_code_and_quotations_in_documents_are_not_checked() -> None:
    page = "`told`\n> He told me.\n```\nwhoever\n```\nSomebody"
    assert unwanted_in(unquoted(page)) == ["6: Somebody"]


def test_exempted_paths_exist() -> None:
    assert [each for each in NOT_YET_HELD if not (ROOT / each).exists()] == []
