"""Which texts are versions, and what is said of those that are none (specification section 1)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.registry.texts import MAX_QUOTED, VERSION_PATTERN, quoted, version_problem


# fault 40
@pytest.mark.parametrize(
    "text",
    [
        "8.15.0-SNAPSHOT",
        "1.1.1w",
        "1:2.3~rc1-4",
        "9.2.0-9.el9",
        "16.8.7-ee.0",
        "RELEASE.2024-10-13T13-34-11Z",
        "19c",
        "jammy",
        "16.4 (Debian 16.4-1.pgdg120+1)",
        "Версия 3",
        "x",
        "9" * 128,
    ],
)
def test_any_printable_text_is_a_version(text: str) -> None:
    assert version_problem(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: a version is 1 to 128 printable characters"),
        ("9" * 129, "has 129 characters: a version is 1 to 128"),
        (" 3.6.0", "' 3.6.0' begins or ends with a blank: write '3.6.0'"),
        ("3.6.0\u00a0", "begins or ends with a blank: write '3.6.0'"),
        ("  ", "'  ' is blank: write the version, such as 3.6.0"),
        ("3.6\t0", "'3.6\\t0' contains the control character U+0009 at position 4: a version is 1 to 128 printable"),
        ("3.6.0\n", "contains the control character U+000A at position 6"),
        ("3.6.0\x00", "contains the control character U+0000"),
        ("3.6\u200b.0", "contains the control character U+200B ZERO WIDTH SPACE at position 4"),
        ("3.6.0\ud800", "contains the control character U+D800"),
    ],
)
def test_other_text_is_refused_with_all_of_it_and_what_to_write(text: str, said: str) -> None:
    problem = version_problem(text)
    assert problem is not None
    assert said in problem


def test_long_text_is_quoted_up_to_a_bound() -> None:
    assert len(quoted("x" * 10_000)) < MAX_QUOTED + 40
    assert quoted("x" * 10_000).endswith("… (10000 characters)")


@given(st.text(max_size=6))
def test_pattern_of_the_schema_accepts_what_is_accepted(text: str) -> None:
    assert (re.search(VERSION_PATTERN, text) is not None and not text.endswith("\n")) is (version_problem(text) is None)
