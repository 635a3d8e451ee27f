"""Authentication: every call but /health needs a token, and a token opens only what its permissions allow."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.integration.web.apps import client_of, own_app
from tests.integration.web.authentication import Authentication
from tests.integration.world import World
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.web.http.rate_limits import Limiter
from upgrade_orchestrator.web.security import PUBLIC


def calls(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path that needs authentication, ids filled in."""
    found = [route for route in app.routes if isinstance(route, APIRoute) and route.name not in PUBLIC]
    return [(method, _path(route)) for route in found for method in route.methods]


def _path(route: APIRoute) -> str:
    return route.path_format.format(**dict.fromkeys(route.param_convertors, "some-id"))


async def test_every_call_without_a_token_is_401(app: FastAPI, api: httpx.AsyncClient) -> None:
    assert len(calls(app)) > 20
    for method, path in calls(app):
        response = await api.request(method, path, headers={"Authorization": ""})
        assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED"), path
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_every_call_without_a_permission_is_403(
    app: FastAPI, api: httpx.AsyncClient, authentication: Authentication
) -> None:
    no_permissions = authentication.admit("nina", [])
    for method, path in calls(app):
        response = await api.request(method, path, headers=no_permissions)
        assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN"), path


@pytest.mark.parametrize("permission", [Permission.READ, Permission.APPROVE, Permission.OPERATE])
async def test_write_is_permitted_only_with_its_permission(
    api: httpx.AsyncClient, world: World, authentication: Authentication, permission: Permission
) -> None:
    user = authentication.admit("olga", {Permission.READ, permission})
    component = await api.post("/components", json={"id": "new", "name": "new"}, headers=user)
    upgrade = await api.post("/tenants/550e8400/upgrades", json=world.request(), headers=user)
    assert component.status_code == 403
    assert upgrade.status_code == (201 if permission is Permission.OPERATE else 403)
    assert (world.rows("component"), world.rows("execution")) == (1, permission is Permission.OPERATE)


async def test_administrator_may_write_the_registry(
    api: httpx.AsyncClient, world: World, authentication: Authentication
) -> None:
    admin = authentication.admit("admin", [Permission.ADMINISTER])
    assert (await api.post("/components", json={"name": "new"}, headers=admin)).status_code == 201
    assert world.rows("component") == 2


async def test_health_needs_no_token_and_names_the_parts(api: httpx.AsyncClient, world: World) -> None:
    await world.ports.outbox.save_state(RelayState.RUNNING, "")
    response = await api.get("/health", headers={"Authorization": ""})
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["parts"]) == (
        "ok",
        {"database": "ok", "relay": "running", "fleets": "ok"},
    )


async def test_body_is_not_read_before_the_caller_is_authorized(api: httpx.AsyncClient, world: World) -> None:
    response = await api.post("/tenants/550e8400/upgrades", content=b"{", headers={"Authorization": ""})
    assert response.status_code == 401
    assert world.rows("execution") == 0


async def test_caller_beyond_its_rate_limit_is_429_and_other_callers_are_not(
    world: World, authentication: Authentication
) -> None:
    greedy, other = (authentication.admit(name, Permission) for name in ("a", "b"))
    async with client_of(own_app(world, authentication.authenticate, Limiter(0.01, 2))) as client:
        found = [await client.get("/components", headers=greedy) for _ in range(3)]
        assert [each.status_code for each in found] == [200, 200, 429]
        assert (found[2].json()["code"], found[2].headers["Retry-After"]) == ("TOO_MANY_REQUESTS", "100")
        assert (await client.get("/components", headers=other)).status_code == 200
