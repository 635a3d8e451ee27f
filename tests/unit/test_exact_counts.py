"""Numbers that a document names: what a test says when one of them has changed."""

from pathlib import Path

import pytest

from tests import exact_counts
from tests.exact_counts import hold

PAGE = """# Page

## Exact counts

Words.

| calls of | calls | more |
|---|---:|---:|
| one | 1 | 2 |
| two | 3 | 4 |

## Other

| calls of | calls |
|---|---:|
| one | 9 |
"""


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "performance.md"
    path.write_text(PAGE)
    monkeypatch.setattr(exact_counts, "PAGE", path)


def test_exact_counts_pass_when_all_are_as_in_the_table() -> None:
    hold("calls of", {"two": ("3", "4"), "one": ("1", "2")})


def test_table_of_another_section_is_read_when_it_is_asked_for() -> None:
    hold("calls of", {"one": ("9",)}, "## Other")


def test_changed_count_is_reported_with_the_old_number_the_new_one_and_the_remedy() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        hold("calls of", {"one": ("1", "2"), "two": ("3", "5")})
    assert "two: was 3 | 4, is 3 | 5" in str(failed.value)
    assert "one:" not in str(failed.value)
    assert "write what is into that table" in str(failed.value)


def test_added_and_removed_rows_of_the_table_are_reported() -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        hold("calls of", {"one": ("1", "2"), "three": ("7", "8")})
    assert "three: was not there, is 7 | 8" in str(failed.value)
    assert "two: was 3 | 4, is not there" in str(failed.value)
