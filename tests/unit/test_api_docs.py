from local.docs.api import PAGE, page


def test_api_page_is_generated_from_the_openapi_description() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make docs"
