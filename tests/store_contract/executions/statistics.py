"""The store's figures against the same counted by hand."""

from random import Random

import pytest

from tests.store_contract.executions.brute_force import brute_force, same
from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import after, make_request
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.operations.statistics import Figures, Statistics
from upgrade_orchestrator.domain.registry.entries import Component

S = ExecutionStatus
COMPONENT, ANOTHER = "aaa-111", "zzz-999"


class StatisticsContract:
    @pytest.mark.parametrize("seed", range(4))
    async def test_statistics_equal_a_count_by_brute_force(self, store: Store, added: Added, seed: int) -> None:
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

    async def test_statistics_of_a_component_without_executions_are_zero(self, store: Store, added: Added) -> None:
        await added(status=S.COMPLETED, started_at=after(0), completed_at=after(9))
        async with store() as work:
            assert await work.executions.statistics(ANOTHER) == Statistics(ANOTHER, Figures(), {})


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
