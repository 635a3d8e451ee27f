"""Authentication and authorisation (specification section 9); Airflow's auth manager decides."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from upgrade_orchestrator.domain.errors import NotFound, Unauthenticated, ValidationFailed
from upgrade_orchestrator.domain.execution.commands import Actor, Source
from upgrade_orchestrator.domain.operations.permissions import (
    EVERYTHING,
    REGISTRY,
    Permission,
    Scope,
    lacking,
    of_tenant,
)
from upgrade_orchestrator.schemas.base import ID_PATTERN
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.views.board import all_tenants
from upgrade_orchestrator.web.dependencies import open_ports_of
from upgrade_orchestrator.web.http.same_origin import by_cookie, require_same_origin

PUBLIC = frozenset({"health", "asset"})
"Names of the routes that need no token; all others need one."

MAX_NAME_LENGTH = 255
"Maximum length of a user's name in the audit."


class Caller(Protocol):
    """The authenticated user behind a call."""

    @property
    def name(self) -> str:
        """The name that is recorded as createdBy and in the audit."""

    def may(self, permission: Permission, scope: Scope = EVERYTHING) -> bool:
        """Whether the auth manager grants ``permission`` on ``scope``; may query a database."""


Authenticate = Callable[[Request], Awaitable[Caller]]
"""Finds the caller of a request; raises Unauthenticated."""


async def authenticated(request: Request) -> Caller | None:
    """Dependency of the whole app: every call needs a token, except for routes in ``PUBLIC``.

    :raises Unauthenticated: there is no valid token.
    :raises TooManyRequests: the caller is over the rate limit.
    :raises Forbidden: a write by cookie comes from another site.
    :raises UnsupportedMediaType: a write by cookie is not JSON.
    """
    if request.scope["route"].name in PUBLIC:
        return None
    if not hasattr(request.state, "caller"):
        authenticate: Authenticate = request.app.state.authenticate
        caller = await authenticate(request)
        require_same_origin(request)
        request.state.caller = caller
        request.app.state.limiter.take(request.state.caller.name)
    signed: Caller = request.state.caller
    return signed


async def no_unknown_parameters(request: Request) -> None:
    """Dependency of the whole app: refuse unknown query parameters of writes, which are probably mistakes.

    :raises ValidationFailed: with each unknown parameter. Calls that have parameters check them themselves.
    """
    route: APIRoute = request.scope["route"]
    if request.method in ("POST", "PUT") and request.query_params and not route.dependant.query_params:
        raise ValidationFailed([{"field": name, "message": "unknown field"} for name in request.query_params])


def require(permission: Permission, *also: Scope) -> Callable[..., Awaitable[Actor]]:
    """The dependency of a call that needs ``permission``; it returns the actor for the audit.

    The permission must be granted on everything, on one of ``also``, or on the tenant that the call is about.
    """

    async def check(request: Request, caller: Annotated[Caller | None, Depends(authenticated)]) -> Actor:
        if caller is None:
            raise Unauthenticated("this call needs a token")
        if not await _may(caller, permission, EVERYTHING, *also):
            await _require_of_tenant(request, caller, permission)
        source = Source.UI if by_cookie(request) else Source.API
        return Actor(caller.name[:MAX_NAME_LENGTH], source, request.state.request_id)

    return check


async def _may(caller: Caller, permission: Permission, *scopes: Scope) -> bool:
    # in a thread: the auth manager may query its database, which must not block the event loop
    return await run_in_threadpool(lambda: any(caller.may(permission, each) for each in scopes))


async def _require_of_tenant(request: Request, caller: Caller, permission: Permission) -> None:
    """Check the permission on the call's tenant. To a caller that may not see the tenant, its objects do not exist.

    :raises NotFound: the object does not exist, or the caller may not see its tenant.
    :raises Forbidden: the caller may see the tenant, but lacks the permission.
    """
    lacks = lacking(caller.name, permission)
    if await _may(caller, Permission.READ, EVERYTHING) or not await _may(caller, Permission.READ, REGISTRY):
        raise lacks
    tenant_id, hidden = await _tenant_of(request)
    if tenant_id is None and hidden is None:
        raise lacks
    if tenant_id is None or not await _may(caller, Permission.READ, of_tenant(tenant_id)):
        raise hidden or lacks
    if not await _may(caller, permission, of_tenant(tenant_id)):
        raise lacks


async def _tenant_of(request: Request) -> tuple[str | None, NotFound | None]:
    """The tenant that the call is about, and the error if the caller may not see it; None for other calls."""
    given = request.path_params
    if "tenantId" in given:
        return given["tenantId"], NotFound(f"there is no tenant {given['tenantId']}")
    if "executionId" not in given:
        return None, None
    hidden = NotFound(f"there is no execution {given['executionId']}")
    if not re.fullmatch(ID_PATTERN, given["executionId"]):
        return None, hidden
    try:
        return (await find_execution(await open_ports_of(request), given["executionId"])).tenant_id, hidden
    except NotFound:
        return None, hidden


async def permissions_in(caller: Caller, tenant_id: str) -> frozenset[Permission]:
    """The caller's permissions in a tenant."""
    both = (EVERYTHING, of_tenant(tenant_id))
    return await run_in_threadpool(
        lambda: frozenset(each for each in Permission if any(caller.may(each, scope) for scope in both))
    )


async def tenants_seen_by(
    caller: Caller, ports: Ports, permission: Permission = Permission.READ
) -> frozenset[str] | None:
    """The tenants on which the caller has ``permission``; None means all tenants."""
    if await _may(caller, permission, EVERYTHING):
        return None
    known = await all_tenants(ports)
    return await run_in_threadpool(lambda: frozenset(each for each in known if caller.may(permission, of_tenant(each))))


CallerDep = Annotated[Caller | None, Depends(authenticated)]
Reader = Depends(require(Permission.READ))
RegistryReader = Depends(require(Permission.READ, REGISTRY))
"For data that belongs to no tenant; also granted to users who are limited to tenants."
Administrator = Depends(require(Permission.ADMINISTER))
AdministratorActor = Annotated[Actor, Depends(require(Permission.ADMINISTER))]
Approver = Annotated[Actor, Depends(require(Permission.APPROVE))]
Operator = Annotated[Actor, Depends(require(Permission.OPERATE))]
