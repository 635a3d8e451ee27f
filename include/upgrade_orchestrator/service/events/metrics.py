"""Computes Airflow metrics from the events; run by the process that leads the control loops."""

from __future__ import annotations

from upgrade_orchestrator.domain.events import metrics
from upgrade_orchestrator.domain.events.event_metrics import MEASURED, metric_values
from upgrade_orchestrator.domain.execution.attention import CAUSES
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.service.ports.unit_of_work import Ports

FOLLOWER = "metrics"
PAGE_SIZE = 200
"Executions whose events are read together."
_MEASURED = sorted(each.value for each in MEASURED)


async def measure(ports: Ports) -> None:
    """Count the events since the last call and send the gauges; does nothing while metrics are off.

    Events are marked before they are counted: none is counted twice, and a crash in between loses those just marked.

    :raises Unavailable: the database does not respond.
    """
    if not ports.metrics.are_on():
        return
    while spans := await ports.event_cursors.spans(FOLLOWER, PAGE_SIZE):
        ours = await ports.event_cursors.mark(FOLLOWER, spans)
        for recorded in await ports.event_cursors.events(ours, _MEASURED):
            for figure in metric_values(recorded):
                ports.metrics.show(figure)
    await _send_gauges(ports)


async def _send_gauges(ports: Ports) -> None:
    """Send every gauge, also those that are 0: a gauge keeps its last value until it is sent again."""
    counts = await ports.event_cursors.counts()
    for status in ExecutionStatus:
        for strategy in () if is_terminal(status) else Strategy:
            found = counts.get((status.value, strategy.value), 0)
            ports.metrics.show(metrics.EXECUTIONS.of(found, status.value, strategy.value))
    stuck = await ports.event_cursors.attention()
    for code in CAUSES.keys() | stuck.keys():
        ports.metrics.show(metrics.ATTENTION.of(stuck.get(code, 0), code))
    waiting = await ports.event_cursors.waiting()
    ports.metrics.show(metrics.APPROVALS_WAITING.of(waiting.approvals))
    ports.metrics.show(metrics.APPROVALS_OLDEST.of(waiting.oldest_seconds))
