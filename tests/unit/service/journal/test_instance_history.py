"""The history of one instance, read from the event log: states, orders with answers, health, decisions."""

from dataclasses import replace

import pytest

from tests.labs.fleet.edited import EditedFleets
from tests.labs.memory.lab import MakeLab, MemoryLab
from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.note import MOST_NOTES
from upgrade_orchestrator.service.ports.stores.events import StoredEvent
from upgrade_orchestrator.service.rollout.canary import monitor_canary
from upgrade_orchestrator.service.views.instance_history import (
    BEGINNING,
    EntryKind,
    HistoryEntry,
    entries_of,
    list_history,
)

K = EntryKind


async def history(lab: MemoryLab, execution_id: str, number: int) -> list[HistoryEntry]:
    return await list_history(lab.world.ports, execution_id, lab.name(number), BEGINNING, 1000)


def in_short(found: list[HistoryEntry]) -> list[str]:
    return [f"{each.kind.value} {each.what}" for each in found if each.kind is not K.DECISION]


async def test_history_has_states_orders_with_answers_and_decisions_in_their_order(make_lab: MakeLab) -> None:
    lab = await make_lab(size=2, drain_seconds=2.0, upgrade_seconds=3.0)
    execution_id = await lab.admitted(max_unavailable_percentage=100)
    await lab.upgrade(execution_id)
    found = await history(lab, execution_id, 1)
    assert in_short(found) == [
        "STATE PENDING → DRAINING",
        "ORDER drain",
        "STATE DRAINING → UPGRADING",
        "ORDER version 3.7.0",
        "STATE UPGRADING → HEALTH_CHECKING",
        "HEALTH healthy",
        "STATE HEALTH_CHECKING → COMPLETED",
    ]
    assert [each.time for each in found] == sorted(each.time for each in found)
    drain, version = (each for each in found if each.kind is K.ORDER)
    assert (drain.detail, drain.token) == ("202 in 0 ms", lab.lease()[1])
    assert (version.time - drain.time).total_seconds() == pytest.approx(2.0, abs=0.5)
    decided = [(each.what, each.actor) for each in found if each.kind is K.DECISION]
    assert decided[0] == ("execution PENDING → VALIDATING", "olga")
    assert decided[-1] == ("execution IN_PROGRESS → COMPLETED", "system")


async def test_history_of_a_failure_has_refused_orders_counted_and_what_the_instance_says(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    lab.fault("upgrade-fails", 1, times=1)
    lab.fault("agent-503", 1, times=4)
    assert (await lab.upgrade(execution_id)).status is ExecutionStatus.COMPLETED
    found = await history(lab, execution_id, 1)
    refused, accepted = [each for each in found if each.what == "drain"][:2]
    assert (refused.detail or "").startswith("FLEET_BUSY: the agent answered 503 to POST ")
    assert (refused.detail or "").endswith(" ms (4 times)")
    assert accepted.detail == "202 in 0 ms"
    failed = next(each for each in found if each.what == "UPGRADING → FAILED")
    assert "\nERROR: Could not install packages" in (failed.detail or "")
    assert "FAILED → DRAINING, try 2" in [each.what for each in found]


async def test_history_has_what_the_health_endpoint_said_while_the_status_stayed(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    lab.fault("comes-up-unhealthy", 1)
    execution_id = await lab.admitted(health_check_timeout_seconds=5)
    await lab.run_batches(execution_id)
    found = [each for each in await history(lab, execution_id, 1) if each.kind is K.HEALTH]
    assert [(each.what, each.detail) for each in found] == [("unhealthy", "the instance says that it is unhealthy")] * 2


async def test_history_of_a_canary_has_the_polls_that_found_it_unhealthy(make_lab: MakeLab) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(strategy=Strategy.CANARY, canary_percentage=25)
    await lab.run(execution_id, 1)
    (canary,) = (await lab.context(execution_id)).plan.canary
    lab.fault("unhealthy", int(canary[-2:]))
    await monitor_canary(lab.world.ports, await lab.context(execution_id), 1)
    last = (await history(lab, execution_id, int(canary[-2:])))[-1]
    assert (last.kind, last.what) == (K.HEALTH, "unhealthy as a canary")
    assert last.detail == "the instance says that it is unhealthy"


async def test_history_of_a_rollback_has_its_orders_and_steps(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    await lab.go(execution_id, ExecutionStatus.ROLLING_BACK)
    await lab.roll_back(execution_id)
    back = in_short(await history(lab, execution_id, 1))[7:]
    assert back[:4] == [
        "STATE rollback: DRAINING",
        "ORDER drain",
        "STATE rollback: UPGRADING",
        "ORDER version 3.6.0",
    ]
    assert back[-1] == "STATE COMPLETED → ROLLED_BACK"


async def test_pages_of_a_history_have_every_entry_once(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    execution_id = await lab.admitted()
    await lab.upgrade(execution_id)
    whole, pages, after = await history(lab, execution_id, 1), list[HistoryEntry](), BEGINNING
    while found := await list_history(lab.world.ports, execution_id, lab.name(1), after, 2):
        pages += found
        after = found[-1].position
    assert pages == whole


async def test_instance_that_was_not_touched_has_decisions_only_and_one_of_another_plan_is_not_found(
    make_lab: MakeLab,
) -> None:
    lab = await make_lab(size=2)
    execution_id = (await lab.created()).id
    assert await history(lab, execution_id, 1) == []
    with pytest.raises(NotFound, match="no instance other"):
        await list_history(lab.world.ports, execution_id, "other", BEGINNING, 10)
    with pytest.raises(NotFound):
        await list_history(lab.world.ports, "none", lab.name(1), BEGINNING, 10)


async def test_notes_of_one_event_are_bounded_however_often_an_agent_changes_its_answer(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    said = iter(range(10**6))
    fleets = EditedFleets(
        lab.world.ports.fleets,
        edit_health=lambda _, answer: replace(answer, healthy=False, detail=f"{next(said)} {'x' * 1990}"),
    )
    execution_id = await lab.admitted(health_check_timeout_seconds=20)
    await lab.with_ports(fleets=fleets).run_batches(execution_id)
    events = [each.data for each in await lab.events(execution_id) if each.what is EventType.INSTANCE_CHANGED]
    most = max((each["notes"] for each in events), key=lambda notes: len(list(notes)))  # type: ignore[call-overload]
    assert isinstance(most, list)
    assert len(most) == MOST_NOTES
    assert str(most[0]["answer"]).startswith("0 ")
    assert all(len(each["answer"]) <= 1000 for each in most)


def test_event_that_was_written_before_orders_were_noted_is_a_state() -> None:
    data = {"instanceId": "a", "from": "PENDING", "to": "DRAINING", "attempts": 1, "revert": None, "error": None}
    event = StoredEvent("v", "e", "t", 4, NOW, EventType.INSTANCE_CHANGED, data)
    assert entries_of(event, "a") == [HistoryEntry((4, 0), NOW, K.STATE, "PENDING → DRAINING")]
