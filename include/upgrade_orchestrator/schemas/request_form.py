"""The upgrade request as a form: the tenant and each field of ``UpgradeBody``, with their JSON schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.schemas.base import ID_PATTERN
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.schemas.upgrades import UpgradeBody

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field with its JSON schema, description and default."""

    name: str
    schema: Schema
    description: str
    default: object = None
    required: bool = False


TENANT = FormField(
    "tenantId", {"type": "string", "pattern": ID_PATTERN}, "The tenant whose deployment is upgraded.", required=True
)


@cache
def form_fields() -> tuple[FormField, ...]:
    """The tenant, and the fields of the request in order."""
    document = UpgradeBody.model_json_schema()
    required, definitions = document["required"], document["$defs"]
    fields = ((name, _resolved(schema, definitions)) for name, schema in document["properties"].items())
    return TENANT, *(_field(name, schema, name in required) for name, schema in fields)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """The schema without references; nullable fields list null as a type, which Airflow's form understands."""
    if "$ref" in schema:
        return {**definitions[schema["$ref"].rpartition("/")[2]], **schema}
    (given, *_) = schema.get("anyOf", ({},))
    return {**schema, **given, "type": ["null", given["type"]]} if given else schema


def _field(name: str, schema: Schema, required: bool) -> FormField:
    takes = {key: value for key, value in schema.items() if key not in _NOT_TYPES}
    if not required and schema.get("default") is None and isinstance(takes["type"], str):
        takes["type"] = ["null", takes["type"]]  # a form sends null for a field that a body leaves out
    return FormField(name, takes, schema["description"], schema.get("default"), required)


_NOT_TYPES = {"$ref", "anyOf", "title", "description", "default", "examples"}


def request_from(values: Mapping[str, Any]) -> UpgradeRequest:
    """The request from a form's values without the tenant; missing and null fields get their defaults.

    :raises ValidationFailed: with every unknown or invalid field.
    """
    given = json.dumps({name: value for name, value in values.items() if value is not None})
    try:
        return UpgradeBody.model_validate_json(given).to_domain()
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise ValidationFailed(field_errors(list(found))) from None
