"""Charts are well-formed SVG, with all values as text."""

from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from upgrade_orchestrator.web.view.charts import HEIGHT, WIDTH, Chart, Series, lines, number, stacked_bars

SVG = "{http://www.w3.org/2000/svg}"
OK = Series("completed", "bar-ok", (3, 0, 6))
BAD = Series("failed", "bar-bad", (1, 0, 2))
HOSTILE = '"><script>alert(1)</script>'


def chart(*series: Series, **more: str) -> Chart:
    return Chart("ended", "How they ended", ("2 Nov", "9 Nov", "16 Nov"), series, **more)


def parsed(svg: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def all_of(svg: Markup, name: str) -> list[dict[str, str]]:
    """What is drawn with that element; the legend's boxes have another size than any bar here."""
    return [each.attrib for each in parsed(svg).iter(SVG + name) if each.attrib.get("height") != "12"]


def marks_of(svg: Markup) -> list[str | None]:
    """The numbers of the axis."""
    return [each.text for each in parsed(svg).iter(SVG + "text") if each.attrib["text-anchor"] == "end"]


def test_bars_of_a_chart_are_stacked_in_proportion() -> None:
    bars = all_of(stacked_bars(chart(OK, BAD)), "rect")
    assert [each["class"] for each in bars] == ["bar-ok", "bar-bad", "bar-ok", "bar-bad"]
    assert float(bars[2]["height"]) == pytest.approx(2 * float(bars[0]["height"]), abs=0.2)
    assert float(bars[1]["y"]) + float(bars[1]["height"]) == pytest.approx(float(bars[0]["y"]), abs=0.2)


def test_every_element_is_inside_the_chart() -> None:
    for each in all_of(stacked_bars(chart(OK, BAD)), "rect"):
        assert 0 <= float(each["x"]) <= float(each["x"]) + float(each["width"]) <= WIDTH
        assert 0 <= float(each["y"]) <= float(each["y"]) + float(each["height"]) <= HEIGHT


def test_line_of_a_chart_is_broken_where_there_is_no_value() -> None:
    gap = lines(chart(Series("median", "line-a", (10, None, 30))))
    whole = lines(chart(Series("median", "line-a", (10, 20, 30))))
    assert (len(all_of(gap, "circle")), len(all_of(gap, "polyline"))) == (2, 0)
    assert (len(all_of(whole, "circle")), len(all_of(whole, "polyline"))) == (3, 1)


def test_point_of_a_higher_value_is_higher_in_the_chart() -> None:
    heights = [float(each["cy"]) for each in all_of(lines(chart(Series("median", "a", (1, 2, 3)))), "circle")]
    assert heights == sorted(heights, reverse=True)


def test_description_of_a_chart_has_all_values_as_text() -> None:
    svg = parsed(lines(chart(Series("median", "a", (1.25, None, 300)), unit=" s")))
    title, text = svg.find(SVG + "title"), svg.find(SVG + "desc")
    assert title is not None
    assert text is not None
    assert title.text == "How they ended"
    assert text.text == "2 Nov: median 1.2 s. 9 Nov: median none. 16 Nov: median 300 s."
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], text.attrib["id"]]


@pytest.mark.parametrize("empty", [(), (0, 0, 0), (None, None, None)], ids=["no values", "zeroes", "missing values"])
def test_chart_without_values_has_no_bars_and_no_lines(empty: tuple[float | None, ...]) -> None:
    places = ("a", "b", "c")[: len(empty)]
    nothing = Chart("x", "Nothing", places, [Series("median", "a", empty)])
    assert not all_of(stacked_bars(nothing), "rect")
    assert parsed(lines(nothing)).tag == f"{SVG}svg"


def test_hostile_names_in_a_chart_are_shown_as_text() -> None:
    hostile = Chart("x", HOSTILE, (HOSTILE,), [Series(HOSTILE, HOSTILE, (1,))], HOSTILE)
    for svg in (stacked_bars(hostile), lines(hostile)):
        assert "<script" not in svg
        assert not all_of(svg, "script")


@pytest.mark.parametrize(
    ("most", "marks"),
    [(0, ["0", "1"]), (3, ["0", "1", "2", "3"]), (7, ["0", "2", "4", "6", "8"]), (4200, 6), (0.3, 4)],
)
def test_axis_has_a_few_round_marks(most: float, marks: list[str] | int) -> None:
    shown = marks_of(lines(Chart("x", "x", (), [Series("a", "a", (most,))])))
    assert len(shown) == marks if isinstance(marks, int) else shown == marks


@pytest.mark.parametrize(("most", "marks"), [(0, ["0", "1"]), (1, ["0", "1"]), (2, ["0", "1", "2"]), (300, 4)])
def test_axis_of_counts_has_whole_marks(most: float, marks: list[str] | int) -> None:
    shown = marks_of(stacked_bars(Chart("x", "x", ("one",), [Series("a", "a", (most,))])))
    assert len(shown) == marks if isinstance(marks, int) else shown == marks


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (1.0, "1"), (1.25, "1.2"), (99.95, "100.0"), (1234.5, "1234")])
def test_numbers_in_a_chart_are_shortened(value: float, shown: str) -> None:
    assert number(value) == shown


def test_chart_has_no_inline_style() -> None:
    assert "style" not in stacked_bars(chart(OK, BAD)) + lines(chart(OK, BAD))
