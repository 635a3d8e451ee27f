"""Idempotent use cases for an upgrade that a DAG run requests: create it once, start it once, wait for its end.

Every step may be repeated by a task that is retried or cleared, also by two tasks at the same time.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, InvalidState, NotFound
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import Execution, UpgradeRequest
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from upgrade_orchestrator.service.runner.wait import wait_until
from upgrade_orchestrator.service.upgrade.create import create_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade


async def create_once(
    ports: Ports, execution_id: str, tenant_id: str, request: UpgradeRequest, actor: Actor
) -> Execution:
    """The execution ``execution_id``, created now unless it exists.

    :raises UpgradeError: as ``create_upgrade``.
    """
    if (made := await _existing(ports, execution_id)) is not None:
        return made
    given = replace(ports, new_id=lambda: execution_id)
    try:
        return await create_upgrade(given, tenant_id, request, actor)
    except (ActiveUpgradeExists, AlreadyExists):  # perhaps this very execution, created concurrently
        if (made := await _existing(ports, execution_id)) is not None:
            return made
        raise


async def _existing(ports: Ports, execution_id: str) -> Execution | None:
    try:
        return await find_execution(ports, execution_id)
    except NotFound:
        return None


async def start_once(ports: Ports, execution_id: str, actor: Actor) -> Execution:
    """The execution, started now if it is PENDING; one that was started or cancelled already stays as it is.

    :raises NotFound: no such execution.
    """
    try:
        return await start_upgrade(ports, execution_id, actor)
    except InvalidState:
        return await find_execution(ports, execution_id)


async def wait_for_end(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Wait up to about ``seconds`` (None: no limit): DONE with the status reason once it is in any terminal status.

    :raises NotFound: no such execution.
    """
    return await wait_until(partial(_look, ports, execution_id), ports, execution_id, seconds)


async def _look(ports: Ports, execution_id: str) -> Outcome | float:
    execution = await find_execution(ports, execution_id)
    return Outcome(Ending.DONE, execution.status_reason) if execution.is_terminal else SLOW_POLL_SECONDS
