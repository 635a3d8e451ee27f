"""Every type of event: its example is valid by its schema, and events that differ from the book are not."""

import copy
import json
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from local.docs.event_examples import EXAMPLES
from local.docs.events import FOLDER
from tests.event_types import violations, violations_of
from upgrade_orchestrator.domain.events.factory import json_name
from upgrade_orchestrator.domain.events.payloads import EVENT_CLASSES
from upgrade_orchestrator.domain.execution.events import Event, EventType
from upgrade_orchestrator.service.events.cloud_event import cloud_event

ALL = pytest.mark.parametrize("what", EventType, ids=str)


def _document(what: EventType) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(cloud_event(EXAMPLES[what])))
    return document


def test_events_page_has_every_event_type_once_with_an_example() -> None:
    assert sorted(each.what for each in EVENT_CLASSES) == sorted(EventType)
    assert set(EXAMPLES) == set(EventType)


@ALL
def test_example_of_an_event_type_conforms_to_its_schema(what: EventType) -> None:
    assert violations_of(EXAMPLES[what]) == []


@ALL
def test_example_of_an_event_type_is_a_valid_cloud_event(what: EventType) -> None:
    read = JSONFormat().read(CloudEvent, json.dumps(_document(what)))
    assert (read.get_type(), read.get_data()) == (what.cloud_type, _document(what)["data"])


@ALL
def test_event_without_one_of_its_fields_is_refused(what: EventType) -> None:
    whole = _document(what)
    for name in whole:
        assert violations({key: value for key, value in whole.items() if key != name}), name
    for name in whole["data"]:
        lacking = whole | {"data": {key: value for key, value in whole["data"].items() if key != name}}
        assert violations(lacking), name


@ALL
def test_event_with_a_field_of_another_type_is_refused(what: EventType) -> None:
    for name in _document(what)["data"]:
        wrong = copy.deepcopy(_document(what))
        wrong["data"][name] = [{"not": "this"}]
        assert violations(wrong), name


@ALL
def test_event_with_an_additional_field_is_accepted(what: EventType) -> None:
    document = _document(what) | {"traceparent": "00-1-2-01"}
    document["data"]["newField"] = 1
    assert violations(document) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("sequence", 0),
        ("sequence", "1"),
        ("time", "yesterday"),
        ("time", "2026-01-31T12:00:05+01:00"),
        ("source", "/somewhere/else"),
        ("subject", "no id"),
        ("type", "registry.upgrade.progress.v2"),
        ("datacontenttype", "text/plain"),
        ("data", None),
    ],
)
def test_event_with_an_invalid_attribute_is_refused(name: str, value: object) -> None:
    assert violations(_document(EventType.PROGRESS)) == []
    assert violations(_document(EventType.PROGRESS) | {name: value})


def test_data_of_one_event_type_is_refused_for_another() -> None:
    assert violations(_document(EventType.PROGRESS) | {"data": _document(EventType.CREATED)["data"]})
    assert violations(_document(EventType.PROGRESS) | {"type": EventType.CREATED.cloud_type})


@pytest.mark.parametrize(
    ("name", "expected"), [("from_", "from"), ("instance_id", "instanceId"), ("to", "to"), ("not_asked", "notAsked")]
)
def test_field_of_an_event_is_in_camel_case(name: str, expected: str) -> None:
    assert json_name(name) == expected


@pytest.mark.parametrize("event_type", EVENT_CLASSES, ids=lambda event_type: event_type.what)
def test_every_field_of_an_event_has_a_description(event_type: type[Event]) -> None:
    schema = json.loads((FOLDER / f"{event_type.what.cloud_type}.json").read_text(encoding="utf-8"))
    for name, about in schema["properties"]["data"]["properties"].items():
        assert about.get("description"), name
