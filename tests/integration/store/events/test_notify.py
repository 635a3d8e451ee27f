"""Notices become DAG runs, once each and retried until accepted; without notifiers they cost nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.store_contract.stores import Added, PassTime, Store
from upgrade_orchestrator.bootstrap import ports_for
from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.domain.events.notifications import Notice
from upgrade_orchestrator.domain.execution.commands import SYSTEM
from upgrade_orchestrator.domain.execution.execution import advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.loops import LOOPS
from upgrade_orchestrator.service.events.notifications import send_notices
from upgrade_orchestrator.service.ports.event_cursors import EventCursors, Span
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings

S = ExecutionStatus


class Taken:
    """Port ``Notices`` without Airflow; ``away`` is the number of calls that fail."""

    def __init__(self, away: int = 0) -> None:
        self.notices: list[Notice] = []
        self._away = away

    def are_wanted(self) -> bool:
        return True

    async def send(self, notice: Notice) -> None:
        if self._away:
            self._away -= 1
            raise Unavailable("no Airflow at the moment")
        self.notices.append(notice)


class KilledAtTheMark:
    """Port ``EventCursors`` of a process that dies before it marks the events as read."""

    def __init__(self, event_cursors: EventCursors) -> None:
        self.spans, self.events = event_cursors.spans, event_cursors.events
        self.counts, self.waiting = event_cursors.counts, event_cursors.waiting
        self.attention = event_cursors.attention

    async def mark(self, follower: str, spans: Sequence[Span]) -> list[Span]:
        raise MemoryError("killed here")


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def ports(postgres_url: str, store: Store, taken: Taken) -> Ports:
    return replace(ports_for(postgres_url, Settings()), notices=taken)


async def _fail(store: Store, execution_id: str) -> None:
    async with store() as work:
        execution = await work.executions.lock(execution_id)
        moved, event = advance(execution, S.FAILED, "too bad", SYSTEM, await work.now())
        await work.events.append(moved, [event])
        await work.executions.save(moved)
        await work.commit()


async def test_notice_of_a_failure_is_triggered_once(store: Store, added: Added, ports: Ports, taken: Taken) -> None:
    execution = await added(status=S.VALIDATING)
    await send_notices(ports)
    assert taken.notices == []
    await _fail(store, execution.id)
    await send_notices(ports)
    await send_notices(ports)
    ((notice,)) = taken.notices
    assert (notice.kind, notice.key, notice.data["reason"]) == ("failed", f"{execution.id}__1", "too bad")


# fault 53
async def test_failure_while_no_api_server_ran_reaches_notifiers_when_one_is_back(
    store: Store, added: Added, ports: Ports, taken: Taken, pass_time: PassTime
) -> None:
    execution = await added(status=S.VALIDATING)
    await send_notices(ports)
    await _fail(store, execution.id)
    pass_time(5 * 3600)
    await send_notices(ports)
    await send_notices(ports)
    assert [each.key for each in taken.notices] == [f"{execution.id}__1"]


async def test_notice_that_airflow_could_not_accept_is_triggered_later(
    store: Store, added: Added, ports: Ports
) -> None:
    await _fail(store, (await added(status=S.VALIDATING)).id)
    taken = Taken(away=1)
    later = replace(ports, notices=taken)
    with pytest.raises(Unavailable):
        await send_notices(later)
    await send_notices(later)
    assert len(taken.notices) == 1


async def test_process_killed_before_it_saves_its_cursor_triggers_the_same_notice_again(
    store: Store, added: Added, ports: Ports, taken: Taken
) -> None:
    await _fail(store, (await added(status=S.VALIDATING)).id)
    with pytest.raises(MemoryError):
        await send_notices(replace(ports, event_cursors=KilledAtTheMark(ports.event_cursors)))
    await send_notices(ports)
    assert len({each.key for each in taken.notices}) == 1 < len(taken.notices)


async def test_no_notice_is_sent_without_a_notifier(postgres_url: str) -> None:
    ports = ports_for(postgres_url, Settings())
    assert not ports.notices.are_wanted()
    await send_notices(replace(ports, event_cursors=None))  # type: ignore[arg-type]


def test_notices_are_triggered_by_one_of_the_control_loops() -> None:
    assert send_notices in [each.use_case for each in LOOPS]
