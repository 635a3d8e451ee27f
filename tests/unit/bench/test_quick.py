"""What a quick run comes to: each ratio is of the two results that its name says."""

from dataclasses import replace

import pytest

from bench.jobs.job import Timing
from bench.measure import BARE, PLAIN, PROJECT, Repetition, Result, Row
from bench.quick import Quick, Rows
from bench.tax import Side, Tax


def result(who: str, jobs: int, wall: float, cpu: float) -> Result:
    """Of one repetition; the first drain came after a tenth of the wall time."""
    return Result(Row(who, jobs=jobs), [Repetition(Timing(wall, wall, 0.1, wall / 10), cpu, 0.1)])


WITHOUT = Side(result(BARE, 1, 4.0, 2.0), result(BARE, 5, 8.0, 10.0), 0.10)
WITH_PRODUCT = Side(result(BARE, 1, 5.0, 2.2), result(BARE, 5, 10.0, 9.0), 0.14)
QUICK = Quick(
    machine="2 cores, 0.41 s",
    alone=Rows(result(PROJECT, 1, 7.5, 3.3), result(PLAIN, 1, 2.5, 0.2), WITH_PRODUCT.alone),
    many=Rows(result(PROJECT, 20, 30.0, 60.0), result(PLAIN, 20, 5.0, 4.0), result(BARE, 20, 25.0, 50.0)),
    tax=Tax(WITHOUT, WITH_PRODUCT),
)


def test_line_has_the_ratios_of_what_was_measured() -> None:
    line = QUICK.line("this")
    assert (line.alone_wall_bare, line.alone_wall_plain, line.alone_cpu_bare) == pytest.approx((1.5, 3.0, 1.5))
    assert (line.many_wall_bare, line.many_wall_plain, line.many_cpu_bare) == pytest.approx((1.2, 6.0, 1.2))
    assert (line.first_drain, line.at_rest) == pytest.approx((0.75, 0.14))


def test_line_has_the_cost_of_the_bare_dag_with_the_product_relative_to_without_it() -> None:
    line = QUICK.line("this")
    assert (line.tax_alone_wall, line.tax_alone_cpu) == pytest.approx((25.0, 10.0))
    assert (line.tax_some_wall, line.tax_some_cpu, line.tax_at_rest) == pytest.approx((25.0, -10.0, 0.04))


def test_tax_is_the_median_of_the_differences_within_pairs() -> None:
    without, with_product = _pairs([(8.0, 10.0), (8.0, 10.0), (24.0, 30.0)], [(8.8, 10.5), (80.0, 90.0), (27.6, 31.2)])
    tax = Tax(replace(WITHOUT, many=without), replace(WITH_PRODUCT, many=with_product))
    assert (tax.many_wall, tax.many_cpu) == pytest.approx((15.0, 5.0))


def test_tax_requires_the_same_number_of_runs_with_and_without_the_product() -> None:
    without, with_product = _pairs([(8.0, 10.0), (8.0, 10.0)], [(8.8, 10.5)])
    with pytest.raises(ValueError, match="shorter"):
        _ = Tax(replace(WITHOUT, many=without), replace(WITH_PRODUCT, many=with_product)).many_wall


def _pairs(*sides: list[tuple[float, float]]) -> list[Result]:
    """Wall and CPU seconds of five at once."""
    return [
        Result(Row(BARE, jobs=5), [each for run in runs for each in result(BARE, 5, *run).repetitions])
        for runs in sides
    ]


def test_report_has_a_row_for_each_subject_alone_and_concurrently() -> None:
    rows = [(each.row.who, each.row.jobs) for each in QUICK.report().results]
    assert rows == [(who, jobs) for jobs in (1, 20) for who in (PROJECT, PLAIN, BARE)]
