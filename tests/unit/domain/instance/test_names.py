"""Texts that name instances have a bounded length."""

import pytest

from upgrade_orchestrator.domain.instance.names import MOST_CHARACTERS, MOST_NAMED, cut, named


@pytest.mark.parametrize("count", [0, 1, 2, MOST_NAMED])
def test_few_instances_are_all_named(count: int) -> None:
    ids = [f"i-{number}" for number in range(count)]
    assert named(ids) == ", ".join(ids)
    assert named(ids, "; ") == "; ".join(ids)


# fault 50
def test_many_instances_are_cut_with_a_count() -> None:
    ids = [f"i-{number}" for number in range(10_000)]
    assert named(ids, most=2) == "i-0, i-1, and 9,998 more"
    assert named(iter(ids), "; ", 1) == "i-0; and 9,999 more"
    assert named(ids).endswith("i-9, and 9,990 more")


def test_text_about_one_instance_is_cut_too() -> None:
    assert len(named(["x" * 5000] * 10_000)) < (MOST_CHARACTERS + 2) * MOST_NAMED + 20


def test_text_of_several_lines_is_named_in_one() -> None:
    assert named(["i-1: no space\n\tat /opt", "i\u00a02"]) == "i-1: no space at /opt, i\u00a02"


@pytest.mark.parametrize(("text", "found"), [("", ""), ("12345", "12345"), ("123456", "123 …")])
def test_text_is_cut_with_an_ellipsis_only_when_it_is_too_long(text: str, found: str) -> None:
    assert cut(text, 5) == found
