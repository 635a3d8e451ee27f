"""The task that works at once: the tasks after it do the same, so it need not succeed."""

from typing import Any

import pytest

from include.upgrades.domain.errors import NotFound, Unavailable
from include.upgrades.flow import operators
from include.upgrades.flow.operators import BeginOperator
from include.upgrades.service.fleet_ports import FleetError, StaleToken


@pytest.fixture
def begin(database: str) -> BeginOperator:
    return BeginOperator(task_id="begin", execution_id="e-1")


def _answer(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    async def begin_upgrade(_: Any, **given: Any) -> None:
        calls.append(given)
        if error is not None:
            raise error

    monkeypatch.setattr(operators, "begin_upgrade", begin_upgrade)
    return calls


def test_it_works_for_the_seconds_that_are_set(begin: BeginOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _answer(monkeypatch, None)
    monkeypatch.setenv("UPGRADES_INLINE_SECONDS", "3.5")
    begin.execute({})
    assert calls == [{"execution_id": "e-1", "seconds": 3.5}]


@pytest.mark.parametrize("error", [Unavailable("no database"), FleetError("no fleet"), StaleToken("somebody newer")])
def test_what_is_away_is_left_to_the_tasks_that_try_again(
    begin: BeginOperator, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = _answer(monkeypatch, error)
    begin.execute({})
    assert len(calls) == 1


@pytest.mark.parametrize("error", [NotFound("no such execution"), ValueError("a mistake of ours")])
def test_what_must_not_happen_is_told(begin: BeginOperator, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    _answer(monkeypatch, error)
    with pytest.raises(type(error)):
        begin.execute({})
