"""Approvals: which wait for a response, which have one to check, and which are over."""

from dataclasses import replace
from typing import Any

from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import NOW, after
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.commands import Decision, Source
from upgrade_orchestrator.domain.execution.states import ExecutionStatus

S = ExecutionStatus
ANSWERED: dict[str, Any] = {"answer": Decision.APPROVED, "answered_by": "anna", "answered_at": after(9)}
DECIDED: dict[str, Any] = {"decision": Decision.REJECTED, "decided_by": "anna", "decided_at": after(9)}


def asked(execution_id: str, stage: int = 2, **fields: Any) -> Approval:
    return Approval(execution_id=execution_id, stage=stage, plan_hash="0" * 64, requested_at=NOW, **fields)


async def save(store: Store, *approvals: Approval) -> None:
    async with store() as work:
        for each in approvals:
            await work.approvals.save(each)
        await work.commit()


def keys(approvals: list[Approval]) -> list[tuple[str, int]]:
    return [(each.execution_id, each.stage) for each in approvals]


class ApprovalsContract:
    async def test_approval_is_read_back_with_every_field(self, store: Store, added: Added) -> None:
        execution = await added(status=S.IN_PROGRESS)
        more: dict[str, Any] = {"answered_by_id": "7", "answer_reason": "r", "refused": "f", "reason": "because"}
        full = asked(execution.id, source=Source.UI, **(ANSWERED | DECIDED | more))
        await save(store, full, asked(execution.id, 1))
        async with store() as work:
            assert await work.approvals.of(execution.id) == [asked(execution.id, 1), full]
            assert await work.approvals.of("unknown") == []

    async def test_approval_is_replaced_when_saved_again(self, store: Store, added: Added) -> None:
        execution = await added(status=S.IN_PROGRESS)
        await save(store, asked(execution.id, **ANSWERED), asked(execution.id, reason="again"))
        async with store() as work:
            assert await work.approvals.of(execution.id) == [asked(execution.id, reason="again")]

    async def test_approvals_of_several_executions_are_read_by_stage(self, store: Store, added: Added) -> None:
        one, two = await added(), await added()
        await save(store, asked(two.id, 2), asked(one.id, 3), asked(two.id, 4))
        async with store() as work:
            assert keys(await work.approvals.of(one.id, two.id)) == [(two.id, 2), (one.id, 3), (two.id, 4)]

    async def test_asked_returns_approvals_that_wait_for_an_answer(self, store: Store, added: Added) -> None:
        runs, paused = await added(status=S.IN_PROGRESS), await added(status=S.PAUSED)
        back, ended = await added(status=S.ROLLING_BACK), await added(status=S.CANCELLED, settled_at=NOW)
        await save(
            store,
            asked(runs.id, 2, **ANSWERED),
            asked(runs.id, 3, **DECIDED),
            asked(runs.id, 4),
            *(asked(each.id) for each in (paused, back, ended)),
        )
        async with store() as work:
            assert sorted(keys(await work.approvals.asked())) == sorted([(runs.id, 4), (paused.id, 2)])

    async def test_answered_returns_approvals_with_an_unchecked_answer_oldest_first(
        self, store: Store, added: Added
    ) -> None:
        runs, paused = await added(status=S.IN_PROGRESS), await added(status=S.PAUSED)
        await save(
            store,
            asked(runs.id, 2, **ANSWERED),
            asked(runs.id, 3, **(ANSWERED | {"answered_at": after(1)})),
            asked(runs.id, 4, **(ANSWERED | DECIDED)),
            asked(runs.id, 5, answered_at=after(1), refused="not by this one"),
            asked(paused.id, **ANSWERED),
        )
        async with store() as work:
            assert keys(await work.approvals.answered()) == [(runs.id, 3), (runs.id, 2)]

    async def test_over_returns_approvals_that_need_no_decision_any_more(self, store: Store, added: Added) -> None:
        runs, back = await added(status=S.IN_PROGRESS), await added(status=S.ROLLING_BACK)
        other = await added(status=S.CANCELLED)
        await save(store, asked(runs.id, 2, **DECIDED), asked(runs.id, 3), asked(back.id), asked(other.id))
        async with store() as work:
            assert sorted(keys(await work.approvals.over([runs.id, back.id]))) == sorted([(runs.id, 2), (back.id, 2)])

    async def test_approval_that_is_not_committed_is_not_stored(self, store: Store, added: Added) -> None:
        execution = await added(status=S.IN_PROGRESS)
        await save(store, asked(execution.id))
        async with store() as work:
            await work.approvals.save(replace(asked(execution.id), **DECIDED))
        async with store() as work:
            assert await work.approvals.of(execution.id) == [asked(execution.id)]
