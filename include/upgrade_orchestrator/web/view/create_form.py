"""The form for a new upgrade; its script shows the plan of a dry run while the user types."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator

from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.schemas import base
from upgrade_orchestrator.schemas.request_form import TENANT, FormField, form_fields
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.lists import list_components
from upgrade_orchestrator.service.views.board import all_tenants
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.security import Caller, CallerDep, RegistryReader, tenants_seen_by
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import page

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

MAX_OPTIONS = 500
"Maximum of tenants and components that are suggested; others can be typed."

_GROUPS = {
    "Upgrade": ("tenantId", "componentId", "fromVersionId", "toVersionId"),
    "Strategy": ("strategy", "canaryPercentage", "stagePercentages", "batchSize", "batchDelaySeconds", "soakSeconds"),
    "Limits and failures": ("maxUnavailablePercentage", "failureThreshold", "autoRollbackEnabled"),
    "Health checks": ("healthCheckIntervalSeconds", "healthCheckTimeoutSeconds"),
    "Other": ("installedComponents", "totalInstances", "undrainForeign", "initiatedBy"),
}
_ONLY_FOR = {"canaryPercentage": "CANARY", "stagePercentages": "STAGED"}
_UNITS = {"Seconds": "seconds", "Percentage": "%", "Percentages": "%"}
_NAMED = {
    "tenantId": "Tenant",
    "componentId": "Component",
    "fromVersionId": "From version",
    "toVersionId": "To version",
    "autoRollbackEnabled": "Roll back automatically",
    "installedComponents": "Installed components",
    "undrainForeign": "Undrain instances that others have drained",
}
_MORE = {"undrainForeign": "Otherwise they are drained again, and a warning names them."}
"What the form adds to the description of a field."
_LISTED = {"tenantId": "tenants", "componentId": "components", "fromVersionId": "versions", "toVersionId": "versions"}


class FormQuery(base.Query):
    """Values that a link fills in."""

    tenant: Annotated[base.Id | None, BeforeValidator(lambda given: given or None)] = None
    component: Annotated[base.Id | None, BeforeValidator(lambda given: given or None)] = None


class Input(NamedTuple):
    """A field as the form shows it."""

    field: FormField
    label: str
    kind: str
    """number, checkbox, select, lines, percentages, listed or text."""
    only_for: str | None
    options: str | None
    """The id of the list of suggestions."""
    value: object = None
    more: str | None = None
    """Added to the field's description."""


@router.get("/upgrades/new", dependencies=[RegistryReader])
async def create_page(
    request: Request, asked: Annotated[FormQuery, Query()], caller: CallerDep, ports: PortsDep
) -> HTMLResponse:
    """The form's page.

    :raises Forbidden: the caller may operate in no tenant.
    """
    assert caller is not None
    tenants = await _tenants(caller, ports)
    components = await list_components(ports, "", MAX_OPTIONS)
    given = {TENANT.name: asked.tenant, "componentId": asked.component}
    return page(request, "create.html", groups=_groups(given), tenants=tenants[:MAX_OPTIONS], components=components)


async def _tenants(caller: Caller, ports: Ports) -> list[str]:
    allowed = await tenants_seen_by(caller, ports, Permission.OPERATE)
    if allowed is not None and not allowed:
        raise lacking(caller.name, Permission.OPERATE)
    return sorted(await all_tenants(ports) if allowed is None else allowed)


def _groups(given: dict[str, Any]) -> list[tuple[str, list[Input]]]:
    """Every field of the request once, in the order of the form."""
    fields = {each.name: each for each in form_fields()}
    grouped = [(title, [_input(fields.pop(name), given) for name in names]) for title, names in _GROUPS.items()]
    assert not fields, f"the form lacks {', '.join(fields)}"
    return grouped


def _input(field: FormField, given: dict[str, Any]) -> Input:
    value = given.get(field.name) or field.default
    only_for, options = _ONLY_FOR.get(field.name), _LISTED.get(field.name)
    return Input(field, label_of(field.name), kind_of(field), only_for, options, value, _MORE.get(field.name))


def label_of(name: str) -> str:
    """``batchDelaySeconds`` → ``Batch delay (seconds)``."""
    first, *more = re.findall("[A-Z]?[a-z]+", name)
    unit = _UNITS.get(more[-1]) if more else None
    words = " ".join([first.capitalize(), *map(str.lower, more[:-1] if unit else more)])
    return _NAMED.get(name) or (f"{words} ({unit})" if unit else words)


def kind_of(field: FormField) -> str:
    """The kind of control for the field's schema."""
    if field.name in _LISTED:
        return "listed"
    if "enum" in field.schema:
        return "select"
    kinds = {"integer": "number", "boolean": "checkbox", "object": "lines", "array": "percentages"}
    types = field.schema["type"]
    return kinds.get(types if isinstance(types, str) else types[-1], "text")
