"""Upgrades that have ended and left something to be done."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.labs.lab import Lab, abandoned, until
from upgrade_orchestrator.domain.airflow.task_states import RunView
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.reconcile import reconcile

AnyLab = TypeVar("AnyLab", bound=Lab)
S = ExecutionStatus


async def marked_failed_while_upgrading(lab: Lab, **fields: Any) -> str:
    """An upgrade whose run was marked failed with two instances in flight, and whose worker has gone."""
    execution_id = await lab.admitted(max_unavailable_percentage=50, **fields)
    lab.world.airflow.show(execution_id, RunView("7", "running"))
    task = lab.running(execution_id, 1)
    await until(lambda: len(lab.upgrades()) == 2, "two upgrades under way")
    await abandoned(task)
    lab.world.airflow.show(execution_id, RunView("7", "failed"))
    await reconcile(lab.world.ports)
    return execution_id


async def failed_with_a_drain_that_does_not_end(
    make_lab: Callable[..., Awaitable[AnyLab]], **fields: Any
) -> tuple[AnyLab, str]:
    """A FAILED upgrade with an instance that still drains, before it is finalized."""
    lab = await make_lab(size=3, drain_seconds=3600)
    more = {"health_check_timeout_seconds": 1, "failure_threshold": 1, "max_unavailable_percentage": 34} | fields
    execution_id = await lab.admitted(**more)
    await lab.run(execution_id, 1)
    execution = await lab.execution(execution_id)
    assert (execution.status, lab.statuses()) == (S.FAILED, {"RUNNING": 2, "DRAINING": 1}), execution.status_reason
    return lab, execution_id
