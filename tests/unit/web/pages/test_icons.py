"""The icons: each is on the page once, and no page needs a sign that some fonts lack."""

import re
from xml.etree import ElementTree

import pytest

from tests.unit.web.rendering import rendered, request_of
from upgrade_orchestrator.web.view.icons import SHAPES, icon, sprite
from upgrade_orchestrator.web.view.pages import FOLDER
from upgrade_orchestrator.web.view.words import CHECK, INSTANCE, STATUS

IN_EVERY_FONT = set("·–—…→←“”’×")
OURS = (
    "board.html",
    "board_part.html",
    "execution.html",
    "execution_part.html",
    "base.html",
    "macros.html",
    "statistics.html",
    "refusal.html",
    "reference.html",
)

STYLES = ("../static/view.css", "../static/execution.css")


def test_icons_are_well_formed_and_have_the_colour_of_the_text() -> None:
    found = ElementTree.fromstring(str(sprite()))
    assert [each.attrib["id"] for each in found] == [f"icon-{name}" for name in SHAPES]
    fills = {each.attrib.get("fill") for each in found.iter()}
    assert fills == {None, "currentColor"}


def test_icon_is_hidden_from_screen_readers_and_refers_to_one_that_is_there() -> None:
    page = rendered(request_of("/view/dags/x"), "no_upgrade.html", dag_id="x", prefix="u")
    ids = [each["id"] for each in page.all("symbol")]
    for name in SHAPES:
        assert ids.count(f"icon-{name}") == 1
        assert f'href="#icon-{name}"' in icon(name)
        assert 'aria-hidden="true"' in icon(name)


def test_unknown_icon_is_an_error() -> None:
    with pytest.raises(KeyError):
        icon("there-is-none")


@pytest.mark.parametrize("name", [*OURS, *STYLES, "../static/board.js", "../words.py"])
def test_page_uses_no_sign_that_fonts_may_lack(name: str) -> None:
    text = (FOLDER / "templates" / name).read_text()
    assert {each for each in text if ord(each) > 0x7F} <= IN_EVERY_FONT


@pytest.mark.parametrize("looks", [STATUS, INSTANCE, CHECK])
def test_sign_of_a_status_is_an_icon(looks: dict[str, object]) -> None:
    assert all(re.search(r"#icon-[a-z-]+", str(each.sign)) for each in looks.values())  # type: ignore[attr-defined]
