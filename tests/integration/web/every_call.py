"""Every call of the API: the permission that it needs (specification section 9), and a valid request."""

from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.integration.web.bad_inputs import GOOD
from tests.integration.world import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.web.security import PUBLIC

P = Permission
IDS = {
    "tenantId": TENANT,
    "componentId": COMPONENT,
    "versionId": NEW,
    "n": "2",
    "eventId": "some-event",
    "dagId": "some-dag",
    "instanceId": "some-instance",
    "runId": "manual__1",
}


class Needs(NamedTuple):
    """What a call needs, and what it is about: ALL tenants, ONE, ANY, or NONE of them."""

    permission: Permission
    about: str


ALL, ONE, ANY, NONE = "all tenants", "a tenant", "any tenant", "the registry"
TABLE: dict[str, Needs] = {
    "create": Needs(P.OPERATE, ONE),
    "list_of_tenant": Needs(P.READ, ONE),
    "active": Needs(P.READ, ONE),
    "read": Needs(P.READ, ONE),
    "plan": Needs(P.READ, ONE),
    "instances": Needs(P.READ, ONE),
    "instance_history": Needs(P.READ, ONE),
    "events": Needs(P.READ, ONE),
    "start": Needs(P.OPERATE, ONE),
    "pause": Needs(P.OPERATE, ONE),
    "resume": Needs(P.OPERATE, ONE),
    "cancel": Needs(P.OPERATE, ONE),
    "promote_canary": Needs(P.OPERATE, ONE),
    "rollback": Needs(P.OPERATE, ONE),
    "retry": Needs(P.OPERATE, ONE),
    "revert": Needs(P.OPERATE, ONE),
    "release_execution": Needs(P.ADMINISTER, ONE),
    "approve": Needs(P.APPROVE, ONE),
    "reject": Needs(P.APPROVE, ONE),
    "components": Needs(P.READ, NONE),
    "add_component": Needs(P.ADMINISTER, ALL),
    "versions": Needs(P.READ, NONE),
    "add_version": Needs(P.ADMINISTER, ALL),
    "set_status": Needs(P.ADMINISTER, ALL),
    "raise_fencing": Needs(P.ADMINISTER, ALL),
    "paths": Needs(P.READ, NONE),
    "add_path": Needs(P.ADMINISTER, ALL),
    "calculate": Needs(P.READ, NONE),
    "compatibility": Needs(P.READ, NONE),
    "deployment": Needs(P.READ, ONE),
    "put_deployment": Needs(P.ADMINISTER, ONE),
    "backups": Needs(P.READ, ONE),
    "add_backup": Needs(P.ADMINISTER, ONE),
    "statistics": Needs(P.READ, ALL),
    "parked": Needs(P.ADMINISTER, ALL),
    "release": Needs(P.ADMINISTER, ALL),
    "openapi": Needs(P.READ, NONE),
    "docs": Needs(P.READ, NONE),
    "board_page": Needs(P.READ, NONE),
    "board_part": Needs(P.READ, NONE),
    "changes": Needs(P.READ, NONE),
    "execution_page": Needs(P.READ, ONE),
    "execution_part": Needs(P.READ, ONE),
    "history_page": Needs(P.READ, ONE),
    "page_of_dag": Needs(P.READ, NONE),
    "page_of_run": Needs(P.READ, NONE),
    "create_page": Needs(P.OPERATE, ANY),
    "create_choices": Needs(P.OPERATE, ANY),
    "components_page": Needs(P.READ, NONE),
    "component_page": Needs(P.READ, NONE),
    "fleet_look": Needs(P.READ, ONE),
    "of_component": Needs(P.READ, ALL),
    "of_tenant": Needs(P.READ, ONE),
}
"By the route's name: a new call fails the tests until its permission is listed here."


def routes(app: FastAPI) -> dict[str, APIRoute]:
    return {each.name: each for each in app.routes if isinstance(each, APIRoute) and each.name not in PUBLIC}


class Call(NamedTuple):
    """A request, as httpx takes it."""

    method: str
    url: str
    params: dict[str, str] | None
    json: dict[str, Any] | None


def good_call(app: FastAPI, name: str, **ids: str) -> Call:
    """The call by the name of its route, about the world's tenant; ``ids`` beside or instead of IDS."""
    route = routes(app)[name]
    path = route.path_format.format(**IDS | ids)
    (method,) = route.methods
    versions = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
    asked = {"calculate": versions, "history_page": {"instance": "some-instance"}}
    return Call(method, path, asked.get(name), GOOD.get((method, path)))
