"""What happened, as figures for Airflow's metrics: read from the events, by the one process that runs the loops."""

from __future__ import annotations

from upgrade_orchestrator.domain.events import metrics
from upgrade_orchestrator.domain.events.event_metrics import MEASURED, figures
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus, is_terminal
from upgrade_orchestrator.service.ports.unit_of_work import Ports

FOLLOWER = "metrics"
AT_ONCE = 200
"Executions whose events are read together."
_MEASURED = sorted(each.value for each in MEASURED)


async def measure(ports: Ports) -> None:
    """Count what was told since the last time, and show how things stand now; costs nothing while metrics are off.

    An event is marked before it is counted: no event counts twice, and a crash in between loses what it was about to
    count. :raises Unavailable: the database is away.
    """
    if not ports.metrics.are_on():
        return
    while spans := await ports.followers.spans(FOLLOWER, AT_ONCE):
        ours = await ports.followers.mark(FOLLOWER, spans)
        for told in await ports.followers.told(ours, _MEASURED):
            for figure in figures(told):
                ports.metrics.show(figure)
    await _show_standing(ports)


async def _show_standing(ports: Ports) -> None:
    """A gauge stays as it was last shown, so none is left out when it is 0."""
    counts = await ports.followers.counts()
    for status in ExecutionStatus:
        for strategy in () if is_terminal(status) else Strategy:
            found = counts.get((status.value, strategy.value), 0)
            ports.metrics.show(metrics.EXECUTIONS.of(found, status.value, strategy.value))
    waiting = await ports.followers.waiting()
    ports.metrics.show(metrics.APPROVALS_WAITING.of(waiting.approvals))
    ports.metrics.show(metrics.APPROVALS_OLDEST.of(waiting.oldest_seconds))
