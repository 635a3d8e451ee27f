from local.docs.events import FOLDER, PAGE, files


def test_events_book_is_what_the_code_tells() -> None:
    made = files()
    assert set(FOLDER.iterdir()) | {PAGE} == set(made)
    for path, content in made.items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run `make docs`"
