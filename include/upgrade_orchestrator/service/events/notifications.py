"""Passes notices to Airflow, which sends them: each becomes a DAG run of its own, at least once."""

from __future__ import annotations

from upgrade_orchestrator.domain.events.notifications import NOTICED, notice_of
from upgrade_orchestrator.service.ports.unit_of_work import Ports

FOLLOWER = "notices"
PAGE_SIZE = 200
"Executions whose events are read together."
_NOTICED = sorted(each.value for each in NOTICED)


async def send_notices(ports: Ports) -> None:
    """Pass the notices of new events to Airflow; does nothing when no notifier is configured.

    Events are marked afterwards. After a crash in between they are passed again without effect, because the event
    determines the id of the run.

    :raises Unavailable: a database does not respond, or Airflow lacks the DAG (yet).
    """
    if not ports.notices.are_wanted():
        return
    while spans := await ports.event_cursors.spans(FOLLOWER, PAGE_SIZE):
        for recorded in await ports.event_cursors.events(spans, _NOTICED):
            notice = notice_of(recorded)
            if notice is not None:
                await ports.notices.send(notice)
        await ports.event_cursors.mark(FOLLOWER, spans)
