"""The table of docs/performance.md: what is written is read back, and a ratio that has grown too much is named."""

from dataclasses import replace

import pytest

from bench.over_time import HEADING, Line, TableError, header, judge, last_line, least_of

LINE = Line(
    what="`0123abc`, start",
    machine="2 cores, 0.41 s",
    alone_wall_bare=1.49,
    alone_wall_plain=2.53,
    alone_cpu_bare=1.25,
    first_drain=1.76,
    many_wall_bare=1.16,
    many_wall_plain=6.30,
    many_cpu_bare=1.18,
    tax_alone_wall=-1.5,
    tax_alone_cpu=4.0,
    tax_some_wall=0.0,
    tax_some_cpu=2.5,
    tax_at_rest=0.04,
    at_rest=0.13,
)
CELLS = LINE.markdown().strip("| ").split(" | ")


def document(*lines: str, head: str = header()) -> str:
    """A document whose table has these lines, between other sections with tables."""
    table = "\n".join([head, *lines])
    return f"# Performance\n\n| what |\n|---|\n| other |\n\n{HEADING}\n\nWords.\n\n{table}\n\n## Next\n\n| a |\n|---|\n"


def line_with(cell: str) -> str:
    """The line with another cell where its first ratio stands."""
    return f"| {' | '.join([*CELLS[:2], cell, *CELLS[3:]])} |"


def test_line_is_read_back_as_it_was_written() -> None:
    assert last_line(document(LINE.markdown())) == LINE


def test_line_has_a_cell_for_each_name_in_the_header() -> None:
    assert len(CELLS) == header().splitlines()[0].count("|") - 1


def test_ratio_is_written_with_two_decimals() -> None:
    assert replace(LINE, alone_wall_bare=1.4949).markdown() == LINE.markdown()


def test_percent_is_written_with_its_sign() -> None:
    assert "| -1.5 | +4.0 | +0.0 | +2.5 |" in LINE.markdown()


def test_figure_without_a_measurement_is_read_back_as_none() -> None:
    line = replace(LINE, many_cpu_bare=None)
    assert last_line(document(line.markdown())) == line


def test_name_with_a_bar_does_not_break_the_table() -> None:
    assert last_line(document(replace(LINE, what="this | that").markdown())).what == "this / that"


def test_last_of_several_lines_is_the_one_that_is_read() -> None:
    assert last_line(document(replace(LINE, what="first").markdown(), LINE.markdown())) == LINE


def test_document_without_the_section_is_refused() -> None:
    with pytest.raises(TableError, match="there is no '## Over time'"):
        last_line(document(LINE.markdown()).replace(HEADING, "## Under time"))


def test_section_without_a_table_is_refused() -> None:
    with pytest.raises(TableError, match="does not begin as it has to"):
        last_line(f"{HEADING}\n\nWords.\n")


def test_header_with_another_column_is_refused() -> None:
    with pytest.raises(TableError, match="does not begin as it has to"):
        last_line(document(LINE.markdown(), head=header().replace("first drain", "last drain")))


def test_header_without_its_rule_is_refused() -> None:
    with pytest.raises(TableError, match="does not begin as it has to"):
        last_line(document(LINE.markdown(), head=header().splitlines()[0]))


def test_table_without_a_line_is_refused() -> None:
    with pytest.raises(TableError, match="no line yet"):
        last_line(document())


def test_line_that_lacks_a_cell_is_refused() -> None:
    with pytest.raises(TableError, match="has 14 cells, not 15"):
        last_line(document(f"| {' | '.join(CELLS[:-1])} |"))


@pytest.mark.parametrize("cell", ["", "fast", "1,49", "nan", "1.49 s"])
def test_cell_that_is_no_number_is_refused_with_its_name(cell: str) -> None:
    with pytest.raises(TableError, match=f"has '{cell}' for 'alone: wall × bare DAG'"):
        last_line(document(line_with(cell)))


def test_cell_that_is_a_whole_number_is_read() -> None:
    assert last_line(document(line_with("2"))).alone_wall_bare == 2.0


def test_line_equal_to_the_last_one_passes() -> None:
    assert judge(LINE, LINE) == []


def test_ratio_that_grew_by_more_than_three_tenths_fails_with_its_name_and_the_limit() -> None:
    last = replace(LINE, many_cpu_bare=1.00)
    assert judge(replace(LINE, many_cpu_bare=1.31), last) == [
        "20 at once: CPU × bare DAG: 1.31 now, 1.00 in the last line (`0123abc`, start), at most 1.30"
    ]


def test_ratio_that_grew_by_three_tenths_passes() -> None:
    assert judge(replace(LINE, many_cpu_bare=1.304), replace(LINE, many_cpu_bare=1.00)) == []


def test_ratio_that_became_smaller_passes() -> None:
    assert judge(replace(LINE, many_cpu_bare=0.2), LINE) == []


def test_each_ratio_that_grew_too_much_is_named() -> None:
    now = replace(LINE, alone_wall_bare=3.0, many_cpu_bare=4.0)
    assert [each.split(": ")[1].split(" ×")[0] for each in judge(now, LINE)] == ["wall", "CPU"]


def test_tax_that_adds_three_tenths_of_the_whole_fails() -> None:
    now, last = replace(LINE, tax_some_wall=44.0), replace(LINE, tax_some_wall=10.0)
    assert judge(now, last) == ["tax of 5: wall %: +44.0 now, +10.0 in the last line (`0123abc`, start), at most +43.0"]


def test_tax_that_grew_from_zero_to_a_few_percent_passes() -> None:
    assert judge(replace(LINE, tax_some_wall=29.0), replace(LINE, tax_some_wall=0.1)) == []


@pytest.mark.parametrize(("now", "failed"), [(30.0, 0), (31.0, 1)])
def test_negative_tax_in_the_last_line_is_compared_as_zero(now: float, failed: int) -> None:
    assert len(judge(replace(LINE, tax_some_wall=now), replace(LINE, tax_some_wall=-16.0))) == failed


def test_seconds_that_grew_pass_since_they_depend_on_the_machine() -> None:
    assert judge(replace(LINE, first_drain=9.0, at_rest=1.0, tax_at_rest=1.0), LINE) == []


def test_ratio_that_was_not_measured_passes() -> None:
    assert judge(replace(LINE, many_cpu_bare=None), LINE) == []


def test_ratio_that_was_not_measured_in_the_last_line_passes() -> None:
    assert judge(replace(LINE, many_cpu_bare=9.0), replace(LINE, many_cpu_bare=None)) == []


def test_lower_of_two_runs_is_compared_figure_by_figure() -> None:
    first, second = replace(LINE, many_cpu_bare=2.0, tax_some_wall=-3.0), replace(LINE, alone_wall_bare=9.0)
    assert least_of(first, second) == replace(LINE, tax_some_wall=min(-3.0, LINE.tax_some_wall or 0.0))


def test_figure_that_is_missing_in_one_of_two_runs_is_not_compared() -> None:
    lacking = replace(LINE, many_cpu_bare=None)
    assert least_of(LINE, lacking) == least_of(lacking, LINE) == lacking
