from datetime import UTC, datetime
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.web.http.cursors import decode, decode_moment, decode_number, encode


@given(st.datetimes(timezones=st.just(UTC)), st.text(ascii_letters + digits + "._-", min_size=1, max_size=64))
def test_cursor_returns_the_position_it_was_made_of(moment: datetime, identifier: str) -> None:
    assert decode_moment(encode(moment.isoformat(), identifier)) == (moment, identifier)


@given(st.integers(0, 10**18 - 1))
def test_cursor_returns_the_number_it_was_made_of(number: int) -> None:
    assert decode_number(encode(str(number))) == number


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))  # the default alphabet takes a second to set up
def test_cursor_that_was_not_issued_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed):
        decode_moment(text)


@pytest.mark.parametrize("position", [("2026-01-31T12:00:00", "a"), ("today", "a"), ("2026-01-31T12:00:00+00:00",)])
def test_cursor_of_another_list_is_refused(position: tuple[str, ...]) -> None:
    with pytest.raises(ValidationFailed):
        decode_moment(encode(*position))


@pytest.mark.parametrize("number", ["-1", "", "1.5", "²", "9" * 30])
def test_cursor_without_a_valid_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationFailed):
        decode_number(encode(number))


def test_cursor_with_unprintable_text_is_refused() -> None:
    with pytest.raises(ValidationFailed):
        decode(encode("a\x00"), 1)
