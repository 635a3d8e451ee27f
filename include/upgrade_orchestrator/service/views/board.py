"""Use case: the list of the status view, with the executions that a caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Counts
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.queries import ExecutionView, views_of


@dataclass(frozen=True, slots=True)
class BoardView:
    """A page of executions, newest first, and the number of executions by status."""

    executions: Sequence[ExecutionView]
    counts: Counts


async def show_board(ports: Ports, wanted: BoardFilter) -> BoardView:
    """The page and the counts from one snapshot, with a fixed number of SQL statements."""
    async with ports.work() as work:
        await work.use_snapshot()
        views = await views_of(work, await work.board.page(wanted))
        return BoardView(views, await work.board.counts(wanted.tenants))


async def all_tenants(ports: Ports) -> frozenset[str]:
    """Every tenant that has a deployment."""
    async with ports.work() as work:
        return await work.board.tenants()
