"""The list of executions that the caller may see, one page at a time, with counts by status."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, PlainValidator, StringConstraints

from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.schemas import base
from upgrade_orchestrator.service.ports.stores.board import BoardFilter, Group
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.board import BoardView, show_board
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.cursors import decode, encode
from upgrade_orchestrator.web.security import Caller, CallerDep, RegistryReader, tenants_seen_by
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import page

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

ROWS = 20
"Executions on a page."

_Empty = BeforeValidator(lambda given: given or None)  # a form also sends the fields that were left empty
_Id = Annotated[base.Id | None, _Empty]
_Text = Annotated[Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)] | None, _Empty]


_STATUSES = {each.value: each for each in (*ExecutionStatus, *Group)}


def _status(given: str) -> ExecutionStatus | Group | None:
    if given and given not in _STATUSES:
        raise ValueError(f"should be one of {', '.join(_STATUSES)}")
    return _STATUSES.get(given)


class BoardQuery(base.Query):
    """The filters in the query."""

    status: Annotated[ExecutionStatus | Group | None, PlainValidator(_status)] = None
    tenant: _Id = None
    component: _Id = None
    strategy: Annotated[Strategy | None, _Empty] = None
    text: _Text = None
    cursor: Annotated[str | None, _Empty] = None

    def given(self, **changed: str | None) -> str:
        """The filters as a query string, with the ``changed`` ones replaced."""
        kept = {name: value for name, value in (self.model_dump() | changed).items() if value}
        return "?" + urlencode(kept)


Asked = Annotated[BoardQuery, Query()]


@router.get("/upgrades", dependencies=[RegistryReader])
async def board_page(request: Request, asked: Asked, caller: CallerDep, ports: PortsDep) -> HTMLResponse:
    """The whole page."""
    shown = await _shown(ports, caller, asked)
    return page(request, "board.html", **shown)


@router.get("/board", dependencies=[RegistryReader])
async def board_part(request: Request, asked: Asked, caller: CallerDep, ports: PortsDep) -> HTMLResponse:
    """The part of the page that changes, for the script that keeps it up to date."""
    return page(request, "board_part.html", **await _shown(ports, caller, asked))


async def _creates(ports: Ports, caller: Caller | None) -> bool:
    """Whether the caller may create upgrades for any tenant."""
    assert caller is not None
    allowed = await tenants_seen_by(caller, ports, Permission.OPERATE)
    return allowed is None or bool(allowed)


async def _shown(ports: Ports, caller: Caller | None, asked: BoardQuery) -> dict[str, Any]:
    assert caller is not None
    seen = await tenants_seen_by(caller, ports)
    found = await show_board(ports, _filter(asked, seen))
    more = len(found.executions) > ROWS
    return {
        "rows": found.executions[:ROWS],
        "counts": _counts(found),
        "asked": asked,
        "limited": seen is not None,
        "creates": await _creates(ports, caller),
        "older": asked.given(cursor=encode(found.executions[ROWS - 1].execution.id)) if more else None,
        "caller": caller.name,
        "strategies": list(Strategy),
    }


def _filter(asked: BoardQuery, seen: frozenset[str] | None) -> BoardFilter:
    tenants = seen
    if asked.tenant is not None:
        tenants = frozenset({asked.tenant}) if seen is None or asked.tenant in seen else frozenset()
    return BoardFilter(
        tenants=tenants,
        status=asked.status,
        component_id=asked.component,
        strategy=asked.strategy,
        text=asked.text,
        after=decode(asked.cursor, 1)[0] if asked.cursor else None,
        limit=ROWS + 1,
    )


def _counts(found: BoardView) -> list[tuple[str, int, str]]:
    """Value of the filter, count, and a note on the period."""
    counts = found.counts
    active = sum(counts.active.values())
    shown = [(Group.ACTIVE.value, active, ""), (Group.AWAITING_APPROVAL.value, counts.awaiting, "")]
    shown += [(Group.NEEDS_ATTENTION.value, counts.attention, "")]
    shown += [(each.value, counts.active[each], "") for each in ExecutionStatus if counts.active.get(each)]
    shown += [(each.value, counts.ended[each], "24 h") for each in ExecutionStatus if counts.ended.get(each)]
    return shown
