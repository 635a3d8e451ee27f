"""The fields of an upgrade request as a form shows them (contract section 2): the JSON schema of each, in one table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest

Schema = Mapping[str, Any]
Error = dict[str, str]


@dataclass(frozen=True, slots=True)
class RequestField:
    """One field: its name in the contract, what it takes (JSON schema), what it is for, and what it is if left out."""

    name: str
    schema: Schema
    description: str
    default: object = None
    required: bool = False

    @property
    def attribute(self) -> str:
        """Its name in ``UpgradeRequest``."""
        return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", self.name)


_NO_NUL = r"^[^\u0000]*$"
"What the database can keep."
_ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}


def _id(name: str, description: str) -> RequestField:
    return RequestField(name, _ID, description, required=True)


def _number(name: str, default: int, least: int, most: int, description: str) -> RequestField:
    return RequestField(name, {"type": "integer", "minimum": least, "maximum": most}, description, default)


TENANT = _id("tenantId", "Whose deployment is upgraded.")
FIELDS: tuple[RequestField, ...] = (
    _id("componentId", "The component to upgrade."),
    _id("fromVersionId", "The version that the deployment runs now."),
    _id("toVersionId", "The version to bring it to."),
    RequestField(
        "strategy",
        {"type": "string", "enum": [each.value for each in Strategy]},
        "How the instances are brought to the new version.",
        Strategy.ROLLING.value,
    ),
    _number("canaryPercentage", 10, 1, 100, "CANARY: how many instances go first, in percent."),
    _number("batchSize", 5, 1, 1000, "The most instances that are worked on at once."),
    _number("batchDelaySeconds", 60, 0, 86400, "Seconds between the end of a batch and the next one."),
    _number("healthCheckIntervalSeconds", 30, 1, 3600, "The longest gap between two looks at an instance, in seconds."),
    _number("healthCheckTimeoutSeconds", 300, 1, 86400, "Seconds within which an upgraded instance has to be healthy."),
    _number("maxUnavailablePercentage", 25, 1, 100, "How many instances may be unavailable at once, in percent."),
    RequestField(
        "totalInstances",
        {"type": ["null", "integer"], "minimum": 1, "maximum": 10000},
        "How many instances to upgrade; empty: the whole fleet.",
    ),
    RequestField(
        "autoRollbackEnabled", {"type": "boolean"}, "Roll back when the failure threshold is reached.", default=False
    ),
    _number("failureThreshold", 3, 1, 10000, "The failures at which the upgrade stops."),
    RequestField(
        "initiatedBy",
        {"type": ["null", "string"], "maxLength": 255, "pattern": _NO_NUL},
        "A label; whoever triggers is recorded beside it.",
    ),
    RequestField(
        "installedComponents",
        {
            "type": ["null", "object"],
            "maxProperties": 200,
            "propertyNames": {"minLength": 1, "maxLength": 255, "pattern": _NO_NUL},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": _NO_NUL},
        },
        'What is installed, by name, for the dependency check: {"postgresql": "16.1"}.',
    ),
    _number("soakSeconds", 0, 0, 86400, "Seconds for which an upgraded instance has to stay healthy."),
    RequestField(
        "stagePercentages",
        {
            "type": ["null", "array"],
            "items": {"type": "integer", "minimum": 1, "maximum": 100},
            "minItems": 1,
            "maxItems": 100,
        },
        "STAGED: how far each stage goes, rising to 100; empty: a stage is a batch.",
    ),
)


def request_from(values: Mapping[str, Any]) -> UpgradeRequest:
    """The request of a form whose fields each fit their schema; a field that is missing has its default.

    :raises ValidationFailed: fields that there are not, and values that do not go together.
    """
    errors = [*_unknown(values), *_contradictions(values)]
    if errors:
        raise ValidationFailed(errors)
    given = {each.attribute: _exact(values.get(each.name, each.default)) for each in FIELDS}
    stages = given["stage_percentages"]
    given["strategy"] = Strategy(given["strategy"])
    given["stage_percentages"] = None if stages is None else tuple(stages)
    return UpgradeRequest(**given)


def _exact(value: Any) -> Any:
    """2.0 is an integer to JSON Schema; to the database it is not."""
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return int(value) if isinstance(value, float) else value


def _unknown(values: Mapping[str, Any]) -> Iterator[Error]:
    known = {each.name for each in FIELDS}
    for name in values:
        if name not in known:
            yield _error(name, "is not a field of the request")


def _contradictions(values: Mapping[str, Any]) -> Iterator[Error]:
    if values.get("toVersionId") == values.get("fromVersionId"):
        yield _error("toVersionId", "must differ from fromVersionId")
    stages = values.get("stagePercentages")
    if stages is not None and values.get("strategy") != Strategy.STAGED:
        yield _error("stagePercentages", "goes with strategy STAGED only")
    elif stages is not None and (stages[-1] != 100 or any(later <= earlier for earlier, later in pairwise(stages))):
        yield _error("stagePercentages", "must rise and end at 100, such as [10, 50, 100]")


def _error(field: str, message: str) -> Error:
    return {"field": field, "message": message}
