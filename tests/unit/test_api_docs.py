from local.docs.api import PAGE, page


def test_api_page_is_the_one_that_the_api_describes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make docs"
