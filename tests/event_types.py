"""Checks events against their schemas, which are published in docs/events."""

import json
from collections.abc import Mapping
from functools import cache

import jsonschema_rs

from local.docs.events import FOLDER
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.events.cloud_event import cloud_event
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

_KINDS = frozenset(each.cloud_type for each in EventType)


def violations(document: Mapping[str, object]) -> list[str]:
    """What is wrong with a CloudEvent, by the schema of its type; a type without one is wrong."""
    kind = str(document.get("type"))
    if kind not in _KINDS:
        return [f"{kind} is not in the book"]
    found = _validator(kind).iter_errors(dict(document))
    return [f"{kind} {document.get('sequence')}: {each.message}" for each in found]


def violations_of(stored: StoredEvent) -> list[str]:
    """The same for an event of the store, in the form in which readers get it."""
    return violations(json.loads(json.dumps(cloud_event(stored))))


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
