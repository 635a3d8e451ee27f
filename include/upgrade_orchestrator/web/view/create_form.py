"""The form for a new upgrade; its script shows the plan of a dry run while the user types.

What can be chosen is computed by the server: the script fetches the lists again when what they depend on changes.
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator

from upgrade_orchestrator.domain.operations.permissions import Permission, lacking
from upgrade_orchestrator.schemas import base
from upgrade_orchestrator.schemas.request_form import FormField, form_fields
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.board import all_tenants
from upgrade_orchestrator.service.views.choices import form_choices
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.security import Caller, CallerDep, RegistryReader, tenants_seen_by
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import page
from upgrade_orchestrator.web.view.registry.form_options import Chosen, Offer, offers
from upgrade_orchestrator.web.view.registry.mends import MENDS

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

MAX_OPTIONS = 500
"Maximum of tenants that are offered; a link may fill in any other."

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
_CHOSEN = ("tenantId", "componentId", "fromVersionId", "toVersionId")
"Chosen from lists."
_Id = Annotated[base.Id | None, BeforeValidator(lambda given: given or None)]


class FormQuery(base.Query):
    """Values that a link or the script fills in."""

    tenant: _Id = None
    component: _Id = None
    from_version: _Id = None
    to_version: _Id = None


class Input(NamedTuple):
    """A field as the form shows it."""

    field: FormField
    label: str
    kind: str
    """number, checkbox, select, lines, percentages, choice or text."""
    only_for: str | None
    value: object = None
    more: str | None = None
    """Added to the field's description."""
    offer: Offer | None = None
    """The content of a list."""


@router.get("/upgrades/new", dependencies=[RegistryReader])
async def create_page(
    request: Request, asked: Annotated[FormQuery, Query()], caller: CallerDep, ports: PortsDep
) -> HTMLResponse:
    """The form's page.

    :raises Forbidden: the caller may operate in no tenant.
    """
    assert caller is not None
    return page(request, "create.html", groups=_groups(await _offers(caller, ports, asked)), mends=MENDS)


@router.get("/upgrades/new/choices", dependencies=[RegistryReader])
async def create_choices(
    request: Request, asked: Annotated[FormQuery, Query()], caller: CallerDep, ports: PortsDep
) -> HTMLResponse:
    """Only the fields that are chosen from lists, for the script.

    :raises Forbidden: the caller may operate in no tenant.
    """
    assert caller is not None
    fields = {each.name: each for each in form_fields()}
    found = await _offers(caller, ports, asked)
    return page(request, "create_choices.html", inputs=[_input(fields[each], found) for each in _CHOSEN])


async def _offers(caller: Caller, ports: Ports, asked: FormQuery) -> dict[str, Offer]:
    allowed = await _tenants(caller, ports)
    tenants = allowed[:MAX_OPTIONS]
    tenant = asked.tenant if asked.tenant in allowed else None
    if tenant is not None and tenant not in tenants:
        tenants.append(tenant)
    choices = await form_choices(ports, tenant, asked.component, asked.from_version)
    return offers(tenants, choices, Chosen(tenant, asked.component, asked.from_version, asked.to_version))


async def _tenants(caller: Caller, ports: Ports) -> list[str]:
    allowed = await tenants_seen_by(caller, ports, Permission.OPERATE)
    if allowed is not None and not allowed:
        raise lacking(caller.name, Permission.OPERATE)
    return sorted(await all_tenants(ports) if allowed is None else allowed)


def _groups(found: dict[str, Offer]) -> list[tuple[str, list[Input]]]:
    """Every field of the request once, in the order of the form."""
    fields = {each.name: each for each in form_fields()}
    grouped = [(title, [_input(fields.pop(name), found) for name in names]) for title, names in _GROUPS.items()]
    assert not fields, f"the form lacks {', '.join(fields)}"
    return grouped


def _input(field: FormField, found: dict[str, Offer]) -> Input:
    name = field.name
    more, offer = _MORE.get(name), found.get(name)
    return Input(field, label_of(name), kind_of(field), _ONLY_FOR.get(name), field.default, more, offer)


def label_of(name: str) -> str:
    """``batchDelaySeconds`` → ``Batch delay (seconds)``."""
    first, *more = re.findall("[A-Z]?[a-z]+", name)
    unit = _UNITS.get(more[-1]) if more else None
    words = " ".join([first.capitalize(), *map(str.lower, more[:-1] if unit else more)])
    return _NAMED.get(name) or (f"{words} ({unit})" if unit else words)


def kind_of(field: FormField) -> str:
    """The kind of control for the field's schema."""
    if field.name in _CHOSEN:
        return "choice"
    if "enum" in field.schema:
        return "select"
    kinds = {"integer": "number", "boolean": "checkbox", "object": "lines", "array": "percentages"}
    types = field.schema["type"]
    return kinds.get(types if isinstance(types, str) else types[-1], "text")
