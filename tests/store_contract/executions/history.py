"""Statistics over the last weeks, against the same counted by hand."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from tests.store_contract.executions.brute_force import brute_force, same
from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import make_request
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.statistics import Figures, HistoryOf, first_monday
from upgrade_orchestrator.domain.registry.entries import Component

COMPONENT, ANOTHER, TENANT = "aaa-111", "zzz-999", "t-of-many"
TODAY = date(2026, 11, 26)
SINCE = first_monday(TODAY, 4)
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)


class HistoryContract:
    @pytest.mark.parametrize(
        "of", [HistoryOf(COMPONENT), HistoryOf(tenant_id=TENANT), HistoryOf(COMPONENT, TENANT)], ids=str
    )
    async def test_history_equals_a_count_by_brute_force(self, store: Store, added: Added, of: HistoryOf) -> None:
        random = Random(7)
        async with store() as work:
            await work.registry.put(Component(id=ANOTHER, name="other"))
            await work.commit()
        made = [await _random(added, random) for _ in range(60)]
        wanted = [each for each in made if _is_of(each, of) and each.completed_at and each.completed_at >= MIDNIGHT]
        async with store() as work:
            found = await work.executions.history(of, SINCE, TODAY)
        assert 0 < len(wanted) < len(made)
        assert same(found.overall, brute_force(wanted))
        assert set(found.by_strategy) == {each.request.strategy for each in wanted}
        for strategy, figures in found.by_strategy.items():
            assert same(figures, brute_force([each for each in wanted if each.request.strategy is strategy])), strategy
        assert [each.begins for each in found.weeks] == [SINCE + timedelta(weeks=n) for n in range(4)]
        for week in found.weeks:
            assert same(week.figures, brute_force([each for each in wanted if _week(each) == week.begins])), week.begins

    async def test_weeks_begin_at_midnight_between_sunday_and_monday(self, store: Store, added: Added) -> None:
        for ended in (MIDNIGHT - timedelta(microseconds=1), MIDNIGHT, MIDNIGHT + timedelta(days=7, microseconds=-1)):
            await added(status=ExecutionStatus.FAILED, completed_at=ended)
        async with store() as work:
            found = await work.executions.history(HistoryOf(COMPONENT), SINCE, TODAY)
        assert [each.figures.failed_executions for each in found.weeks] == [2, 0, 0, 0]

    async def test_history_without_executions_is_zero_in_every_week(self, store: Store) -> None:
        async with store() as work:
            found = await work.executions.history(HistoryOf(tenant_id="unknown"), SINCE, TODAY)
        assert (found.overall, found.by_strategy) == (Figures(), {})
        assert [asdict(each.figures) for each in found.weeks] == [asdict(Figures())] * 4


async def _random(added: Added, random: Random) -> Execution:
    status = random.choice(
        [*sorted(TERMINAL), ExecutionStatus.COMPLETED, ExecutionStatus.COMPLETED, ExecutionStatus.IN_PROGRESS]
    )
    ended = MIDNIGHT + timedelta(days=random.uniform(-14, 24.9))
    component = random.choice([COMPONENT, COMPONENT, ANOTHER])
    tenants = {"tenant_id": TENANT} if status in TERMINAL and random.random() < 0.5 else {}
    return await added(
        request=make_request(component_id=component, strategy=random.choice([*Strategy]), total_instances=3),
        status=status,
        started_at=ended - timedelta(seconds=random.uniform(-5, 4000)),
        completed_at=ended if status in TERMINAL else None,
        settled_at=ended if status in TERMINAL else None,
        paused_seconds=random.choice([0.0, random.uniform(0, 500)]),
        **tenants,
    )


def _is_of(execution: Execution, of: HistoryOf) -> bool:
    fits = of.component_id in (None, execution.request.component_id)
    return fits and of.tenant_id in (None, execution.tenant_id)


def _week(execution: Execution) -> date:
    assert execution.completed_at is not None
    ended = execution.completed_at.date()
    return ended - timedelta(days=ended.weekday())
