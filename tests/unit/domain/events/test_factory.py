"""The data of events: the values before and after, all of which can be written as JSON."""

import json

from tests.unit.domain.builders import NOW, make_instance
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.events.listing_payloads import BatchCompleted, BatchStarted
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.instance.instance import InstanceStatus, move
from upgrade_orchestrator.domain.instance.note import Note, NoteKind
from upgrade_orchestrator.domain.plan.batch import Batch

I = InstanceStatus  # noqa: E741
ROWS = [
    make_instance("a", I.COMPLETED),
    make_instance("b", I.FAILED),
    make_instance("c", I.UPGRADING),
    make_instance("d", I.PENDING),
    make_instance("e", I.ROLLED_BACK),
]


def test_instance_changed_has_both_statuses_and_the_error() -> None:
    before = make_instance("a", I.UPGRADING, attempts=1)
    event = factory.instance_changed(before, move(before, I.FAILED, NOW, "broken"))
    assert event.what is EventType.INSTANCE_CHANGED
    assert data_of(event) == {
        "instanceId": "a",
        "batch": 1,
        "from": "UPGRADING",
        "to": "FAILED",
        "fromVersion": "3.6.0",
        "toVersion": "3.7.0",
        "attempts": 1,
        "revert": None,
        "gone": False,
        "error": "broken",
        "notes": [],
    }


def test_instance_changed_has_the_orders_and_answers_since_the_event_before() -> None:
    note = Note(NoteKind.ORDER, "drain", "FLEET_BUSY: the agent answered 503", 12, 8, 3, 4.25)
    data = data_of(factory.instance_changed(ROWS[2], ROWS[1], (note,)))
    assert data["notes"] == [
        {
            "kind": "ORDER",
            "what": "drain",
            "answer": "FLEET_BUSY: the agent answered 503",
            "token": 12,
            "milliseconds": 8,
            "times": 3,
            "ago": 4.25,
        }
    ]
    assert json.loads(json.dumps(data))["notes"] == data["notes"]


def test_instance_in_a_rollback_has_its_rollback_status() -> None:
    row = make_instance("a", I.COMPLETED, revert=I.DRAINING)
    assert data_of(factory.instance_changed(row, row))["revert"] == "DRAINING"


def test_batch_events_have_the_instances_of_the_batch_and_counts() -> None:
    others = [make_instance("z", I.COMPLETED, batch=2)]
    data = {"batch": 1, "kind": "STAGE", "instances": ["a", "b", "c", "d", "e"]}
    data |= {"instanceCount": 5, "completed": 1, "failed": 1}
    started, completed = (
        factory.batch_event(each, Batch(1, "STAGE"), ROWS + others) for each in (BatchStarted, BatchCompleted)
    )
    assert (started.what, data_of(started)) == (EventType.BATCH_STARTED, data)
    assert (completed.what, data_of(completed)) == (EventType.BATCH_COMPLETED, data)


def test_progress_counts_every_instance() -> None:
    counts = {"total": 5, "pending": 1, "inFlight": 1, "completed": 1, "failed": 1, "rolledBack": 1}
    assert data_of(factory.progress(ROWS)) == {"percentage": 20, "attention": None, **counts}


def test_progress_names_what_keeps_the_execution_from_going_on_with_a_bounded_message() -> None:
    found = data_of(factory.progress(ROWS, Attention("FLEET_BUSY", NOW, "x" * 9000, 2)))["attention"]
    assert isinstance(found, dict)
    assert (found["code"], found["tries"], len(found["message"])) == ("FLEET_BUSY", 2, factory.MOST_CHARACTERS)
    assert found["since"].endswith("Z")


def test_check_completed_has_its_result() -> None:
    result = CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.FAILED, "no answer", NOW, NOW)
    data = {"name": "HEALTH_ENDPOINTS", "status": "FAILED", "message": "no answer"}
    assert data_of(factory.check_completed(result)) == data


def test_every_event_can_be_written_as_json() -> None:
    check = CheckResult(CheckName.HEALTH_ENDPOINTS, CheckStatus.PASSED)
    events = [
        factory.instance_changed(ROWS[0], ROWS[1]),
        factory.batch_event(BatchStarted, Batch(1, "BATCH"), ROWS),
        factory.progress(ROWS),
        factory.check_completed(check),
    ]
    for event in events:
        assert json.loads(json.dumps(data_of(event))) == data_of(event)
