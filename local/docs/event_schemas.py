"""A JSON Schema for each type of event, made from the classes of their payloads."""

from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from upgrade_orchestrator.domain.events.factory import json_name
from upgrade_orchestrator.domain.events.payloads import EVENT_CLASSES
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.service.events.cloud_event import CloudEventDocument

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DESCRIBED = ConfigDict(
    use_attribute_docstrings=True, alias_generator=json_name, json_schema_serialization_defaults_required=True
)
_ID = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NARROWED: dict[str, Schema] = {
    "specversion": {"const": "1.0"},
    "source": {"pattern": f"^/registry/upgrades/{_ID}$"},
    "time": {"format": "date-time", "pattern": "Z$"},
    "subject": {"pattern": f"^{_ID}$"},
    "sequence": {"minimum": 1},
    "datacontenttype": {"const": "application/json"},
}


def schemas() -> dict[str, Schema]:
    """The schemas by CloudEvent type, in the book's order."""
    return {payload.what.cloud_type: schema_of(payload) for payload in EVENT_CLASSES}


def schema_of(payload: type[Event]) -> Schema:
    """The schema of the whole CloudEvent. It allows further attributes and fields, because v1 may add some."""
    found, data = envelope(), _schema(payload)
    kind, definitions = payload.what.cloud_type, data.pop("$defs", {})
    found["properties"]["type"] |= {"const": kind}
    found["properties"]["data"] = data
    head = {"$schema": DIALECT, "$id": f"{kind}.json", "title": kind}
    return head | found | {"description": data["description"]} | ({"$defs": definitions} if definitions else {})


def envelope() -> Schema:
    """The schema of the attributes, which are the same for every type."""
    found = _schema(CloudEventDocument)
    for name, narrowed in _NARROWED.items():
        found["properties"][name] |= narrowed
    return found


def _schema(of: type[Any]) -> Schema:
    found: Schema = _without_titles(TypeAdapter(with_config(_DESCRIBED)(of)).json_schema(mode="serialization"))
    for base in of.__mro__[1:]:
        if issubclass(base, Event) and base is not Event:  # its fields are described only there
            found["properties"] |= _schema(base)["properties"]
    return found


def _without_titles(part: Any) -> Any:
    """The schema without Pydantic's titles, which repeat field names, and without the defaults of counts.

    No field here has one of these names.
    """
    if isinstance(part, dict):
        return {name: _without_titles(each) for name, each in part.items() if name not in ("title", "default")}
    return [_without_titles(each) for each in part] if isinstance(part, list) else part
