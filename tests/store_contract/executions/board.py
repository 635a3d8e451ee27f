"""The board: executions of every tenant, newest first, narrowed and counted."""

from datetime import timedelta
from typing import Any

import pytest

from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import NOW, make_request
from upgrade_orchestrator.domain.approval.approval import Approval
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Decision
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Counts, Group

S = ExecutionStatus
BY_OLGA = make_request(initiated_by="Olga_100%", total_instances=3)
STUCK = Attention("FLEET_UNREACHABLE", NOW, "no answer", 3)
STAGED = make_request(strategy=Strategy.STAGED, total_instances=3)

FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "54321"),
    ({"limit": 2}, "54"),
    ({"after": "e-4", "limit": 2}, "32"),
    ({"tenants": frozenset({"one", "two"})}, "21"),
    ({"tenants": frozenset()}, ""),
    ({"component_id": "another"}, ""),
    ({"strategy": Strategy.STAGED}, "4"),
    ({"status": S.IN_PROGRESS}, "4"),
    ({"status": S.CANCELLED}, "31"),
    ({"status": Group.ACTIVE}, "542"),
    ({"status": Group.AWAITING_APPROVAL}, "4"),
    ({"status": Group.NEEDS_ATTENTION}, "53"),
    ({"status": Group.NEEDS_ATTENTION, "tenants": frozenset({"two-b"})}, "3"),
    ({"text": "E-3"}, "3"),
    ({"text": "olga_"}, "5"),
    ({"text": "0%"}, "5"),
    ({"text": "wo"}, "32"),
    ({"text": "3.7"}, "54321"),
    ({"text": "no-match"}, ""),
]
"Filters, and the executions that they select."


class BoardContract:
    @pytest.fixture
    async def five(self, store: Store, added: Added) -> None:
        """e-1 was cancelled long ago, e-3 just now and is not settled; stage 3 of e-4 waits for a decision.

        e-1, e-3 and e-5 need attention, and e-1 is over; what e-2 needed attention for is over.
        """
        async with store() as work:
            now = await work.now()
        old = now - timedelta(days=2)
        await added(id="e-1", tenant_id="one", status=S.CANCELLED, completed_at=old, settled_at=old, attention=STUCK)
        await added(id="e-2", tenant_id="two", status=S.PENDING)
        await added(id="e-3", tenant_id="two-b", status=S.CANCELLED, completed_at=now, attention=STUCK)
        await added(id="e-4", tenant_id="four", status=S.IN_PROGRESS, request=STAGED)
        await added(id="e-5", tenant_id="five", status=S.VALIDATING, request=BY_OLGA, attention=STUCK)
        async with store() as work:
            await work.executions.note_attention("e-2", STUCK)
            await work.executions.note_attention("e-2", None)
            for stage, decision in ((2, Decision.APPROVED), (3, None)):
                asked = Approval(execution_id="e-4", stage=stage, plan_hash="", requested_at=NOW, decision=decision)
                await work.approvals.save(asked)
            await work.commit()

    @pytest.mark.usefixtures("five")
    async def test_list_page_has_exactly_the_requested_executions(self, store: Store) -> None:
        async with store() as work:
            for narrowed, wanted in FILTERS:
                found = await work.board.page(BoardFilter(**narrowed))
                assert [each.execution.id for each in found] == [f"e-{each}" for each in wanted], narrowed

    @pytest.mark.usefixtures("five")
    async def test_counts_include_unfinished_executions_and_those_ended_within_a_day(self, store: Store) -> None:
        async with store() as work:
            everybody = await work.board.counts(None)
            some = await work.board.counts(frozenset({"one", "two"}))
            no_tenants = await work.board.counts(frozenset())
        active = {S.PENDING: 1, S.IN_PROGRESS: 1, S.VALIDATING: 1}
        assert everybody == Counts(active, {S.CANCELLED: 1}, awaiting=1, attention=2)
        assert some == Counts({S.PENDING: 1}, {}, awaiting=0)
        assert no_tenants == Counts({}, {}, awaiting=0)

    async def test_tenants_are_exactly_those_with_a_deployment(self, store: Store) -> None:
        of_all: dict[str, Any] = {
            "component_id": "aaa-111",
            "driver": "agent",
            "conn_id": "c",
            "current_version_id": "bbb-222",
        }
        async with store() as work:
            assert await work.board.tenants() == frozenset()
            for tenant in ("one", "two"):
                await work.registry.put(Deployment(tenant_id=tenant, fleet=tenant, **of_all))
            assert await work.board.tenants() == {"one", "two"}
