"""docs/adr/README.md has every decision with the title and the status that its record has."""

import re

from tests.unit.docs.pages import DOCS, page, rows

_RECORD = re.compile(r"# (\d+)\. (.+)\n\nStatus: (\w+)")
_ROW = re.compile(r"\[(\d+)\]\(([\w.-]+)\)")
FOLDER = DOCS / "adr"
INDEX = [row for row in rows(page("adr/README.md")) if _ROW.match(row[0])]
RECORDS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("0*.md")}


def test_index_of_decisions_has_every_record_in_order() -> None:
    listed = [match[2] for row in INDEX if (match := _ROW.match(row[0]))]
    assert listed == sorted(RECORDS)


def test_decision_records_have_the_number_and_the_status_of_the_index() -> None:
    for number, title, status in INDEX:
        match, link = None, _ROW.match(number)
        if link is not None:
            match = _RECORD.match(RECORDS[link[2]])
        assert match is not None, number
        assert (match[1], match[2], match[3]) == (number[1:].split("]")[0], title, re.split(r"\W", status)[0])


def test_superseded_record_names_its_successor() -> None:
    for name, text in RECORDS.items():
        first = text.split("\n\n")[1]
        assert "superseded" not in first or re.search(r"\]\(\d{4}-[\w-]+\.md\)", first), name
