"""Who calls, and whether they may (contract section 9): the auth manager of Airflow decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends, Request

from include.upgrades.domain.commands import Actor, Source
from include.upgrades.domain.errors import Forbidden, Unauthenticated
from include.upgrades.domain.permissions import Permission

PUBLIC = frozenset({"health"})
"Names of the routes that need no token: nothing else gets past the app's own dependency."

MOST_OF_NAME = 255
"Characters of a name that are recorded."


class Caller(Protocol):
    """The authenticated user behind a call."""

    @property
    def name(self) -> str:
        """What is recorded as createdBy and in the audit."""

    def may(self, permission: Permission) -> bool:
        """Whether the auth manager grants ``permission``; may ask a database."""


Authenticate = Callable[[Request], Awaitable[Caller]]
"""Finds the caller of a request; raises Unauthenticated."""


async def authenticated(request: Request) -> Caller | None:
    """The app's own dependency: nobody is let in without a token, save to what is ``PUBLIC``.

    :raises Unauthenticated: no valid token; :raises TooManyRequests: more calls than one caller may make.
    """
    if request.scope["route"].name in PUBLIC:
        return None
    if not hasattr(request.state, "caller"):
        authenticate: Authenticate = request.app.state.authenticate
        request.state.caller = await authenticate(request)
        request.app.state.limiter.take(request.state.caller.name)
    caller: Caller = request.state.caller
    return caller


def require(permission: Permission) -> Callable[..., Actor]:
    """The dependency of a call that needs ``permission``; it gives the actor that is recorded."""

    # not async: the auth manager may ask its database, which must not hold up the event loop
    def check(caller: Annotated[Caller | None, Depends(authenticated)]) -> Actor:
        if caller is None:
            raise Unauthenticated("this call needs a token")
        if not caller.may(permission):
            raise Forbidden(f"{caller.name} lacks the permission {permission.value} on Upgrades")
        return Actor(caller.name[:MOST_OF_NAME], Source.API)

    return check


Reader = Depends(require(Permission.READ))
Administrator = Depends(require(Permission.ADMINISTER))
Approver = Annotated[Actor, Depends(require(Permission.APPROVE))]
Operator = Annotated[Actor, Depends(require(Permission.OPERATE))]
