"""Notices are handed to Airflow, which sends them: each becomes a DAG run of its own, whatever dies in between."""

from __future__ import annotations

from upgrade_orchestrator.domain.events.notifications import NOTICED, notice_in
from upgrade_orchestrator.service.ports.unit_of_work import Ports

FOLLOWER = "notices"
AT_ONCE = 200
"Executions whose events are read together."
_NOTICED = sorted(each.value for each in NOTICED)


async def hand_over_notices(ports: Ports) -> None:
    """Hand over what was not yet; nothing is asked where nobody wants notices.

    An event is marked after it was handed over. A crash in between hands it over again, which changes nothing: the
    run is known by the event. :raises Unavailable: a database is away, or Airflow does not have the DAG (yet).
    """
    if not ports.notices.are_wanted():
        return
    while spans := await ports.followers.spans(FOLLOWER, AT_ONCE):
        for told in await ports.followers.told(spans, _NOTICED):
            notice = notice_in(told)
            if notice is not None:
                await ports.notices.hand_over(notice)
        await ports.followers.mark(FOLLOWER, spans)
