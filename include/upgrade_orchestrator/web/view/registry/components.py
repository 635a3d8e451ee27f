"""The page of all components, the page of one, and the look at a fleet that its script fetches afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field, StringConstraints

from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.domain.registry.entries import Backup, ComponentVersion, UpgradePath
from upgrade_orchestrator.schemas import base
from upgrade_orchestrator.service.views.components import ComponentDetail, Part, load_component, show_components
from upgrade_orchestrator.service.views.fleet_look import look_at_fleet
from upgrade_orchestrator.web.dependencies import PortsDep
from upgrade_orchestrator.web.http.cursors import decode, decode_moment, encode
from upgrade_orchestrator.web.routes.parameters import ComponentId, TenantId
from upgrade_orchestrator.web.security import CallerDep, Reader, RegistryReader, tenants_seen_by
from upgrade_orchestrator.web.view.error_pages import PageRoute
from upgrade_orchestrator.web.view.pages import page
from upgrade_orchestrator.web.view.registry.drawing import Drawing
from upgrade_orchestrator.web.view.registry.graph import graph_of
from upgrade_orchestrator.web.view.registry.words import marks_of, size, steps_of, style_of_version

router = APIRouter(prefix="/view", include_in_schema=False, route_class=PageRoute)

ROWS = 20
"Components, deployments or backups on a page."
VERSIONS = 60
"Versions on a page, all in one graph."
PATHS = 200
"Paths in the table at most."

_Empty = BeforeValidator(lambda given: given or None)  # a form also sends the fields that were left empty
_Text = Annotated[Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)] | None, _Empty]
_Cursor = Annotated[str | None, _Empty]


class _Asked(base.Query):
    def given(self, **changed: str | int | None) -> str:
        """The query string, with the ``changed`` fields replaced."""
        kept = {name: value for name, value in (self.model_dump() | changed).items() if value}
        return "?" + urlencode(kept)


class ComponentsQuery(_Asked):
    """The search, and where the page begins."""

    text: _Text = None
    cursor: _Cursor = None


class ComponentQuery(_Asked):
    """Where each of the lists begins: the number of a version, and cursors."""

    versions: Annotated[int, Field(ge=0, le=10_000)] = 0
    deployments: _Cursor = None
    backups: _Cursor = None


@router.get("/components", dependencies=[RegistryReader])
async def components_page(
    request: Request, asked: Annotated[ComponentsQuery, Query()], caller: CallerDep, ports: PortsDep
) -> HTMLResponse:
    """All components by name, with what the caller may see of their deployments and upgrades."""
    assert caller is not None
    seen = await tenants_seen_by(caller, ports)
    after = decode(asked.cursor, 1)[0] if asked.cursor else ""
    found = await show_components(ports, seen, asked.text, after, ROWS + 1)
    more = asked.given(cursor=encode(found[ROWS - 1].component.id)) if len(found) > ROWS else None
    return page(request, "components.html", rows=found[:ROWS], asked=asked, more=more)


@router.get("/components/{componentId}", dependencies=[RegistryReader])
async def component_page(
    request: Request,
    component_id: ComponentId,
    asked: Annotated[ComponentQuery, Query()],
    caller: CallerDep,
    ports: PortsDep,
) -> HTMLResponse:
    """One component; of deployments and backups those of the tenants that the caller may see.

    :raises NotFound: there is no such component.
    """
    assert caller is not None
    seen = await tenants_seen_by(caller, ports)
    part = Part(
        seen,
        decode(asked.deployments, 1)[0] if asked.deployments else "",
        decode_moment(asked.backups) if asked.backups else None,
        ROWS + 1,
    )
    detail = await load_component(ports, component_id, part)
    operable = await tenants_seen_by(caller, ports, Permission.OPERATE)
    shown = page_values(detail, asked) | {"limited": seen is not None, "max_age": ports.options.backups.max_age}
    return page(request, "component.html", operable=operable, **shown)


@router.get("/tenants/{tenantId}/components/{componentId}/fleet", dependencies=[Reader])
async def fleet_look(request: Request, tenant_id: TenantId, component_id: ComponentId, ports: PortsDep) -> HTMLResponse:
    """What the deployment's fleet says now; within 10 s, or why not."""
    return page(request, "component_fleet.html", look=await look_at_fleet(ports, tenant_id, component_id))


def page_values(detail: ComponentDetail, asked: ComponentQuery) -> dict[str, Any]:
    """What the template of a component's page shows of the component."""
    versions = detail.versions[asked.versions : asked.versions + VERSIONS]
    paths = _paths_of(detail, versions)
    today = detail.now.date()
    return {
        "d": detail,
        "asked": asked,
        "names": {each.id: each for each in detail.versions},
        "versions": versions,
        "paths": paths[:PATHS],
        "path_count": len(paths),
        "drawing": Drawing(graph_of(versions, paths[:PATHS]), detail.running, today).svg(),
        "deployments": detail.deployments[:ROWS],
        "backups": detail.backups[:ROWS],
        "links": _links(detail, asked),
        "style_of_version": lambda version: style_of_version(version, today),
        "marks_of": marks_of,
        "steps_of": steps_of,
        "size": size,
    }


def _paths_of(detail: ComponentDetail, versions: Sequence[ComponentVersion]) -> list[UpgradePath]:
    """The paths from or to one of these versions, by the versions from which they lead, newest first."""
    places = {each.id: place for place, each in enumerate(detail.versions)}
    wanted = {each.id for each in versions}
    found = [each for each in detail.paths if wanted & {each.from_version_id, each.to_version_id}]
    known = [each for each in found if {each.from_version_id, each.to_version_id} <= places.keys()]
    return sorted(known, key=lambda each: (places[each.from_version_id], places[each.to_version_id]))


def _links(detail: ComponentDetail, asked: ComponentQuery) -> dict[str, str | None]:
    """To the further page of each list, None where there is none."""
    after, tenants, backups = asked.versions + VERSIONS, detail.deployments, detail.backups
    return {
        "versions": asked.given(versions=after) if after < len(detail.versions) else None,
        "deployments": asked.given(deployments=encode(tenants[ROWS - 1].tenant_id)) if len(tenants) > ROWS else None,
        "backups": asked.given(backups=_position(backups[ROWS - 1])) if len(backups) > ROWS else None,
    }


def _position(backup: Backup) -> str:
    return encode(backup.created_at.isoformat(), backup.id)
