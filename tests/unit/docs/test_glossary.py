"""docs/glossary.md has each word once, with its meaning."""

from tests.unit.docs.pages import page, rows


def test_each_glossary_word_is_listed_once_with_its_meaning() -> None:
    table = rows(page("glossary.md"))
    words = [row[0] for row in table]
    assert (len(words), [row for row in table if len(row) != 2 or not row[1]]) == (len(set(words)), [])
