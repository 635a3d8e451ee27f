"""The template context of an execution's page: the values that it shows, computed from the details."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.schemas.executions import ExecutionResponse, Links
from upgrade_orchestrator.service.views.detail import ExecutionDetail
from upgrade_orchestrator.web.view.execution.airflow_tasks import airflow_of
from upgrade_orchestrator.web.view.execution.batches import batches_of, is_wrong
from upgrade_orchestrator.web.view.execution.buttons import buttons
from upgrade_orchestrator.web.view.execution.other_commands import other_commands
from upgrade_orchestrator.web.view.execution.steps import steps_of
from upgrade_orchestrator.web.view.execution.tiles import concerns_rollback, is_going_back, style_of_tile, versions_of
from upgrade_orchestrator.web.view.execution.timeline import line_of
from upgrade_orchestrator.web.view.words import NOT_RUN


def template_context(
    detail: ExecutionDetail, links: Links, caller: str, permissions: Collection[Permission], four_eyes: bool
) -> dict[str, Any]:
    """The values for the templates execution.html and execution_part.html; ``e`` is the representation of the API."""
    execution, now, since = detail.execution, detail.view.overview.read_at, _since(detail)
    offered = buttons(detail, permissions, caller, four_eyes)
    return {
        "e": ExecutionResponse.of(detail.view, links),
        "x": execution,
        "sequence": detail.view.overview.sequence,
        "awaits": detail.view.awaits,
        "since": since,
        "paused": _paused(execution, now),
        "took": execution.completed_at - execution.started_at
        if execution.completed_at and execution.started_at
        else None,
        "steps": steps_of(detail),
        "left": _left(detail, now),
        "buttons": offered,
        "others": other_commands(execution, [each.action.command for each in offered], permissions),
        "batches": batches_of(detail, since),
        "health": _health(detail),
        "wrong": [each for each in detail.instances if is_wrong(each)],
        "polls": list(reversed(detail.polls)),
        "lines": [line_of(each) for each in detail.timeline],
        "airflow": airflow_of(detail),
        "approvals": detail.approvals,
        "followers": detail.followers,
        "budget": detail.plan.budget,
        "concerned": sum(map(concerns_rollback, detail.instances)),
        "not_run": NOT_RUN,
        "style_of_tile": style_of_tile,
        "versions_of": versions_of,
        "is_going_back": is_going_back,
        "caller": caller,
        "now": now,
    }


def _since(detail: ExecutionDetail) -> datetime:
    changes = (each.time for each in detail.timeline if each.what is EventType.STATUS_CHANGED)
    return next(changes, detail.execution.created_at)


def _left(detail: ExecutionDetail, now: datetime) -> timedelta | None:
    end = detail.view.progress.estimated_completion_at
    return None if end is None else end - now


def _paused(execution: Execution, now: datetime) -> timedelta:
    """How long it has been paused in all."""
    paused = timedelta(seconds=execution.paused_seconds)
    return paused if execution.paused_at is None else paused + (now - execution.paused_at)


def _health(detail: ExecutionDetail) -> dict[str, int]:
    """How many instances were healthy and unhealthy when they were last asked, and how many are gone."""
    there = [each for each in detail.instances if not each.gone]
    healthy, unhealthy = (sum(each.healthy is wanted for each in there) for wanted in (True, False))
    return {"healthy": healthy, "unhealthy": unhealthy, "gone": len(detail.instances) - len(there)}
