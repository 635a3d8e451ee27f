"""The colours are those of the installed Airflow, in one style sheet, and can be read in both modes."""

import math
import re
from importlib.resources import files
from pathlib import Path

import pytest

from upgrade_orchestrator.web.view.pages import FOLDER

STATIC = FOLDER / "static"
SHEET = (STATIC / "colours.css").read_text()
SCALES = dict(re.findall(r"--(\w+(?:-\d+)?): (#fff|oklch\([^)]*\));", SHEET))
ROLES = {
    name: (both or (one, one))
    for name, both, one in (
        (name, (light, dark) if light else (), one)
        for name, light, dark, one in re.findall(
            r"--([a-z-]+): (?:light-dark\(var\(--([\w-]+)\), var\(--([\w-]+)\)\)|var\(--([\w-]+)\));", SHEET
        )
    )
}
LENGTHS = {"wide"}
"Properties of the style sheets that are no colours."
TONES = ("idle", "busy", "watch", "warn", "back", "good", "bad")
TEXTS = [
    *(("ink", on) for on in ("ground", "card", "raised", *(f"{tone}-bg" for tone in TONES))),
    *(("soft", on) for on in ("ground", "card", "raised", "bad-bg", "warn-bg")),
    *(("link", on) for on in ("ground", "card", "raised", "bad-bg")),
    *((tone, on) for tone in TONES for on in (f"{tone}-bg", "card", "raised")),
    *(("card", tone) for tone in TONES),
    *(("on-button", each) for each in ("button", "danger")),
]
"What is written on what."
MODES = pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])


def numbers(value: str) -> tuple[float, ...]:
    """Lightness, chroma and hue."""
    return (1, 0, 0) if value == "#fff" else tuple(map(float, re.findall(r"[\d.]+", value)))


def luminance(name: str) -> float:
    """The relative luminance of WCAG, of a colour given as oklch."""
    light, chroma, hue = numbers(SCALES[name])
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(1, max(0, each)) for each in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, mode: int) -> float:
    """Between two roles, from 1 to 21."""
    dark, bright = sorted(luminance(ROLES[each][mode]) for each in (one, other))
    return (bright + 0.05) / (dark + 0.05)


@MODES
@pytest.mark.parametrize(("text", "on"), TEXTS, ids=" on ".join)
def test_text_has_the_contrast_of_wcag_aa(text: str, on: str, mode: int) -> None:
    assert contrast(text, on, mode) >= 4.5


@MODES
@pytest.mark.parametrize("on", ["card", "raised"])
@pytest.mark.parametrize("tone", TONES)
def test_bar_or_edge_has_a_contrast_of_3_to_1(tone: str, on: str, mode: int) -> None:
    assert contrast(f"{tone}-solid", on, mode) >= 3


def test_light_grey_on_white_would_be_found() -> None:
    assert luminance("gray-400") > 0.3
    assert contrast("line", "card", 0) < 3


def airflows_colours() -> dict[str, str]:
    """The scales in the script of the installed Airflow's UI."""
    scripts = Path(str(files("airflow"))).glob("ui/dist/assets/index-*.js")
    script = next(text for text in (each.read_text() for each in scripts) if "tokens:{colors:{black:" in text)
    begin = script.index("tokens:{colors:{black:")
    scales = script[begin : script.index("stone:", begin) + 1000]
    found = {"black": re.findall(r"black:\{value:`(oklch[^`]*)`", scales)[0]}
    for name, shades in re.findall(r"(\w+):\{((?:\d+:\{value:`oklch\([^)]*\)`\},?)+)\}", scales):
        found.update({f"{name}-{shade}": value for shade, value in re.findall(r"(\d+):\{value:`([^`]*)`", shades)})
    return found


def test_colours_are_those_of_the_installed_airflow() -> None:
    theirs = airflows_colours()
    ours = {name: numbers(value) for name, value in SCALES.items() if name != "white"}
    assert ours == {name: numbers(theirs[name]) for name in ours}


def test_every_colour_is_used_and_every_used_one_is_there() -> None:
    sheets = "".join(each.read_text() for each in STATIC.glob("*.css"))
    used = set(re.findall(r"var\(--([\w-]+)[),]", sheets)) - LENGTHS
    assert set(SCALES) - used == set()
    assert used <= {*SCALES, *ROLES}


@pytest.mark.parametrize("sheet", sorted(each.name for each in STATIC.glob("*.css") if each.name != "colours.css"))
def test_other_style_sheets_name_no_colour_of_their_own(sheet: str) -> None:
    assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[;,) ])", (STATIC / sheet).read_text())
