from local.docs.events import FOLDER, PAGE, files


def test_events_page_is_generated_from_the_code() -> None:
    made = files()
    assert set(FOLDER.iterdir()) | {PAGE} == set(made)
    for path, content in made.items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run `make docs`"
