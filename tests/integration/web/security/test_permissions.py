"""Permissions: every call of the API, by every kind of caller (specification section 9)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.integration.web.authentication import Authentication
from tests.integration.web.every_call import ANY, NONE, ONE, TABLE, Needs, good_call
from tests.integration.world import TENANT, World
from upgrade_orchestrator.adapters.airflow.auth.permissions import action_of, grants_of, resource_of, tenant_roles
from upgrade_orchestrator.domain.operations.permissions import Role, of_tenant
from upgrade_orchestrator.web.security import PUBLIC

OTHER = "another-tenant"
WRITTEN = ("command", "backup", "component", "event")

CALLERS: dict[str, frozenset[tuple[str, str]]] = {
    "no permission": frozenset(),
    "viewer": frozenset(grants_of(Role.VIEWER)),
    "operator": frozenset(grants_of(Role.OPERATOR)),
    "approver": frozenset(grants_of(Role.APPROVER)),
    "admin": frozenset(grants_of(Role.ADMIN)),
    **{f"own {role.split()[1].lower()}": frozenset(granted) for role, granted in tenant_roles(TENANT).items()},
    **{f"other {role.split()[1].lower()}": frozenset(granted) for role, granted in tenant_roles(OTHER).items()},
    "airflow's": frozenset({("can_read", "DAGs"), ("can_read", "Website")}),
}


def expected(caller: str, needs: Needs) -> int | None:
    """The refusal's status, or None where the caller gets through the authentication."""
    granted, own = CALLERS[caller], resource_of(of_tenant(TENANT))
    about = {"Upgrades", own} if needs.about in (ONE, ANY) else {"Upgrades"}
    here = {action for action, resource in granted if resource in about}
    if needs.about == NONE and ("can_read", "Upgrade Registry") in granted:
        here.add("can_read")
    if action_of(needs.permission) in here:
        return None
    limited_elsewhere = ("can_read", "Upgrade Registry") in granted and ("can_read", own) not in granted
    return 404 if limited_elsewhere and needs.about == ONE else 403


def test_every_call_is_in_the_table_of_permissions(app: FastAPI) -> None:
    names = [each.name for each in app.routes if isinstance(each, APIRoute) and each.name not in PUBLIC]
    assert sorted(names) == sorted(TABLE)  # a name that two calls share would hide one of them


@pytest.fixture
async def execution(api: httpx.AsyncClient, world: World) -> str:
    made = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request())
    return str(made.json()["id"])


@pytest.fixture
def call(api: httpx.AsyncClient, app: FastAPI, execution: str) -> Callable[..., Any]:
    """Makes a call by the name of its route, about the world's tenant and execution; `changed` ids are others."""

    async def make(name: str, headers: dict[str, str], **changed: str) -> httpx.Response:
        found = good_call(app, name, **{"executionId": execution} | changed)
        return await api.request(found.method, found.url, headers=headers, params=found.params, json=found.json)

    return make


@pytest.mark.parametrize("caller", CALLERS)
async def test_caller_is_authorized_exactly_for_the_calls_of_the_role(
    call: Callable[..., Any], world: World, authentication: Authentication, caller: str
) -> None:
    headers = authentication.admit_to(caller, CALLERS[caller])
    before = world.rows(*WRITTEN)
    for name, needs in TABLE.items():
        response, wanted = await call(name, headers), expected(caller, needs)
        if wanted is None:
            assert response.status_code not in (401, 403), (name, response.text)
            assert response.status_code != 404 or "tenant" not in response.json()["detail"].split()[:4], name
            before = world.rows(*WRITTEN)
            continue
        code = "FORBIDDEN" if wanted == 403 else "NOT_FOUND"
        assert (response.status_code, response.json()["code"]) == (wanted, code), (name, response.text)
        assert world.rows(*WRITTEN) == before, name


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
async def test_no_response_reveals_whether_an_object_of_another_tenant_exists(
    call: Callable[..., Any], authentication: Authentication, execution: str, role: str
) -> None:
    headers = authentication.admit_to("stranger", CALLERS[f"other {role}"])
    unknown = {"tenantId": "no-tenant", "executionId": "01900000-0000-7000-8000-000000000000"}
    for name, needs in TABLE.items():
        if needs.about != ONE:
            continue
        there, not_there = await call(name, headers), await call(name, headers, **unknown)
        assert (there.status_code, not_there.status_code) == (404, 404), name
        hidden, missing = there.text, not_there.text
        for shown, other in ((TENANT, "no-tenant"), (execution, unknown["executionId"])):
            hidden = hidden.replace(shown, other)
        assert hidden == missing, name


@pytest.mark.parametrize("path", ["-no-id", "x" * 65, "a%00b"])
async def test_limited_caller_gets_404_for_an_invalid_id(
    api: httpx.AsyncClient, authentication: Authentication, world: World, path: str
) -> None:
    headers = authentication.admit_to("own", CALLERS["own viewer"])
    assert (await api.get(f"/upgrades/{path}", headers=headers)).status_code == 404
    assert (await api.get(f"/tenants/{path}/upgrades", headers=headers)).status_code == 404


async def test_limited_operator_may_create_in_the_own_tenant_only(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    own, other = (authentication.admit_to(name, CALLERS[name]) for name in ("own operator", "other operator"))
    refused = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request(), headers=other)
    assert (refused.status_code, world.rows("execution")) == (404, 0)
    created = await api.post(f"/tenants/{TENANT}/upgrades", json=world.request(), headers=own)
    assert (created.status_code, created.json()["createdBy"]) == (201, "own operator")


async def test_idempotency_key_of_a_limited_caller_reveals_nothing_of_another_tenant(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    key = {"Idempotency-Key": "one"}
    own = authentication.admit_to("olga", CALLERS["own operator"])
    assert (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request(), headers=own | key)).status_code == 201
    moved = authentication.admit_to("olga", CALLERS["other operator"])
    assert (await api.post(f"/tenants/{TENANT}/upgrades", json=world.request(), headers=moved | key)).status_code == 404
