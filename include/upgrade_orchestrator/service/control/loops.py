"""The control loops: periodic use cases, run by one process at a time, the leader."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.approvals.release import release_approval_tasks
from upgrade_orchestrator.service.approvals.ui_responses import apply_ui_answers
from upgrade_orchestrator.service.control.dag_requests import request_dags
from upgrade_orchestrator.service.control.ended_tasks import end_tasks
from upgrade_orchestrator.service.control.lost_tasks import retry_lost_tasks
from upgrade_orchestrator.service.control.reconcile import reconcile
from upgrade_orchestrator.service.control.unpaused import resume_unpaused
from upgrade_orchestrator.service.events.metrics import measure
from upgrade_orchestrator.service.events.notifications import send_notices
from upgrade_orchestrator.service.finalize.finalize import finalize_abandoned
from upgrade_orchestrator.service.ports.unit_of_work import Ports

log = logging.getLogger(__name__)
T = TypeVar("T")

LEADER_POLL_SECONDS = 2.0
"How often a process tries to take the lead: a dead leader is replaced within this time."


@dataclass(frozen=True, slots=True)
class Loop:
    """A use case that is called again ``seconds`` after it has ended, successfully or not; ``name`` is for the log."""

    name: str
    seconds: float
    use_case: Callable[[Ports], Awaitable[None]]


ATTENTION_SECONDS = 3.0
"Between two looks at why nobody works on an execution; what is over is taken back within one look."


async def _note_attention(ports: Ports) -> None:
    from upgrade_orchestrator.service.control.attention import note_attention  # every task imports this module

    await note_attention(ports)


LOOPS: tuple[Loop, ...] = (
    Loop("request-dags", 1.0, request_dags),
    Loop("reconcile", 5.0, reconcile),
    Loop("note-attention", ATTENTION_SECONDS, _note_attention),
    Loop("resume-unpaused", 2.0, resume_unpaused),
    Loop("finalize", 2.0, finalize_abandoned),
    Loop("end-tasks", 1.0, end_tasks),
    Loop("retry-lost-tasks", 10.0, retry_lost_tasks),
    Loop("apply-approval-answers", 1.0, apply_ui_answers),
    Loop("release-approval-tasks", 1.0, release_approval_tasks),
    Loop("send-notices", 2.0, send_notices),
    Loop("send-metrics", 5.0, measure),
)


class Leadership(Protocol):
    """Held by at most one process."""

    async def lead(self) -> bool:
        """True while this process leads; takes the lead when no process has it."""

    async def resign(self) -> None:
        """Give up the lead, so that another process can take it at once."""


async def run_control_loops(
    open_ports: Callable[[], Awaitable[Ports]],
    open_leadership: Callable[[], Awaitable[Leadership]],
    loops: Sequence[Loop] = LOOPS,
) -> None:
    """Run the loops whenever this process leads, and otherwise try to take the lead; until cancelled."""
    leadership = await _open_retrying(open_leadership)
    try:
        while True:
            if await leadership.lead():
                log.info("this process runs the control loops")
                await _while_leading(await _open_retrying(open_ports), leadership, loops)
                log.info("this process does not run the control loops any more")
            await asyncio.sleep(LEADER_POLL_SECONDS)
    finally:
        await leadership.resign()


async def _open_retrying(opens: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await opens()
        except Exception as error:  # Airflow reports an unknown connection with several exception types
            log.warning("the control loops wait for the product's database: %s", error)
            await asyncio.sleep(LEADER_POLL_SECONDS)


async def _while_leading(ports: Ports, leadership: Leadership, loops: Sequence[Loop]) -> None:
    tasks = [asyncio.create_task(_repeat(ports, each), name=each.name) for each in loops]
    try:
        while True:
            await asyncio.sleep(LEADER_POLL_SECONDS)
            if not await leadership.lead():
                return
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(ports: Ports, loop: Loop) -> None:
    while True:
        try:
            await loop.use_case(ports)
        except Unavailable as error:
            log.warning("%s: %s, trying again", loop.name, error)
        except Exception:  # the next call may succeed
            log.exception("%s failed, trying again", loop.name)
        await asyncio.sleep(loop.seconds)
