"""The database's figures against the same computed in Python, one by one."""

from dataclasses import asdict
from math import floor
from random import Random
from statistics import fmean

import psycopg
import pytest
from psycopg import sql

from include.upgrades.adapters.postgres.engine import sync_engine
from include.upgrades.adapters.postgres.statistics import statistics_query
from include.upgrades.domain.execution import Execution, Strategy
from include.upgrades.domain.registry import Component
from include.upgrades.domain.states import TERMINAL, ExecutionStatus
from include.upgrades.domain.statistics import Figures, Statistics
from tests.integration.store.conftest import Added, Store
from tests.unit.domain.builders import after, make_request

S = ExecutionStatus
COMPONENT, ANOTHER = "aaa-111", "zzz-999"


def brute_force(executions: list[Execution]) -> Figures:
    """The figures as the contract words them."""
    of = [each.status for each in executions]
    took = sorted(_seconds(each) for each in executions if each.status is S.COMPLETED)
    paused = [each.paused_seconds for each in executions if each.status is S.COMPLETED]
    return Figures(
        total_executions=len(of),
        successful_executions=of.count(S.COMPLETED),
        failed_executions=of.count(S.FAILED) + of.count(S.ROLLED_BACK),
        cancelled_executions=of.count(S.CANCELLED),
        active_executions=sum(each not in TERMINAL for each in of),
        average_duration_seconds=fmean(took) if took else 0.0,
        p50_duration_seconds=_percentile(took, 0.5),
        p95_duration_seconds=_percentile(took, 0.95),
        average_paused_seconds=fmean(paused) if paused else 0.0,
    )


def _seconds(execution: Execution) -> float:
    assert execution.started_at is not None
    assert execution.completed_at is not None
    return max(0.0, (execution.completed_at - execution.started_at).total_seconds())


def _percentile(rising: list[float], part: float) -> float:
    """Between the two nearest ranks, by proportion."""
    if not rising:
        return 0.0
    rank = (len(rising) - 1) * part
    low = floor(rank)
    high = min(low + 1, len(rising) - 1)
    return rising[low] + (rising[high] - rising[low]) * (rank - low)


def same(found: Figures, wanted: Figures) -> bool:
    return asdict(found) == pytest.approx(asdict(wanted), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
async def test_figures_are_those_of_a_count_by_hand(store: Store, added: Added, seed: int) -> None:
    random = Random(seed)
    async with store() as work:
        await work.registry.put(Component(id=ANOTHER, name="other"))
        await work.commit()
    occurring = random.sample([*Strategy], 4)
    made = [await _random(added, random, occurring) for _ in range(40)]
    wanted = [each for each in made if each.request.component_id == COMPONENT]
    async with store() as work:
        found = await work.executions.statistics(COMPONENT)
    assert 0 < len(wanted) < len(made)
    assert same(found.overall, brute_force(wanted))
    assert set(found.by_strategy) == {each.request.strategy for each in wanted}
    for strategy, figures in found.by_strategy.items():
        assert same(figures, brute_force([each for each in wanted if each.request.strategy is strategy])), strategy


async def _random(added: Added, random: Random, strategies: list[Strategy]) -> Execution:
    status = random.choice([*ExecutionStatus, S.COMPLETED, S.COMPLETED, S.COMPLETED])
    component = random.choice([COMPONENT, COMPONENT, COMPONENT, ANOTHER])
    request = make_request(component_id=component, strategy=random.choice(strategies), total_instances=3)
    begun = status is not S.PENDING and not (status is S.CANCELLED and random.random() < 0.5)
    return await added(
        request=request,
        status=status,
        started_at=after(random.uniform(0, 2000)) if begun else None,
        completed_at=after(random.uniform(0, 9000)) if status in TERMINAL else None,  # some before their start
        paused_seconds=random.choice([0.0, random.uniform(0, 500)]),
    )


async def test_figures_of_a_component_without_executions_are_zero(store: Store, added: Added) -> None:
    await added(status=S.COMPLETED, started_at=after(0), completed_at=after(9))
    async with store() as work:
        assert await work.executions.statistics(ANOTHER) == Statistics(ANOTHER, Figures(), {})


async def test_statistics_are_read_from_their_index_alone(store: Store, added: Added, postgres_url: str) -> None:
    await added()
    shown = statistics_query(COMPONENT).compile(sync_engine(postgres_url), compile_kwargs={"literal_binds": True})
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")  # of one row it would be the cheaper way
        connection.execute("VACUUM ANALYZE execution")
        plan = connection.execute(sql.SQL("EXPLAIN {}").format(sql.SQL(str(shown)))).fetchall()
    assert any("Index Only Scan using ix_execution_component" in row[0] for row in plan), plan
