"""The fleet agent protocol, version 1: the HTTP side of specification section 11."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fleet.agent import health
from local.fleet.agent.agent import Agent
from local.fleet.agent.orders import Order, Orders
from local.fleet.faults.answers import Reading
from local.fleet.refusal import malformed
from local.fleet.state.calls import Call
from local.fleet.state.fleet import Fleet

_JSON = "application/json"


async def json_body(request: Request) -> Any:
    """The JSON body, None when there is none.

    :raises Refusal: 400, it is malformed.
    """
    if not await request.body():
        return None
    try:
        return await request.json()
    except ValueError:
        raise malformed("the body is not JSON") from None


class Protocol:
    """Reads the call from the request, and answers in HTTP."""

    def __init__(self, agent: Agent) -> None:
        self._orders = Orders(agent)

    def routes(self) -> list[Route]:
        """The routes of section 11."""
        fleet, instance, do = "/fleets/{fleet}", "/fleets/{fleet}/instances/{instance}", self._orders
        return [
            Route(fleet, self.get_fleet, methods=["GET"]),
            Route(instance, self.get_instance, methods=["GET"]),
            Route(f"{instance}/health", self.get_health, methods=["GET"]),
            Route(f"{instance}/drain", self._obeying(do.drain), methods=["POST"]),
            Route(f"{instance}/undrain", self._obeying(do.undrain), methods=["POST"]),
            Route(f"{instance}/version", self._obeying(do.upgrade), methods=["PUT"]),
            Route(f"{fleet}/pools/{{pool}}", self._obeying(do.add_pool), methods=["PUT"]),
            Route(f"{fleet}/pools/{{pool}}", self._obeying(do.remove_pool), methods=["DELETE"]),
            Route(f"{fleet}/traffic", self._obeying(do.switch), methods=["PUT"]),
        ]

    async def get_fleet(self, request: Request) -> Response:
        """All instances, with the health that their processes report now."""
        fleet = await self._fleet(request)
        await health.refresh(fleet, fleet.listing())
        return Response(Reading(fleet).listing(), media_type=_JSON)

    async def get_instance(self, request: Request) -> Response:
        """One instance, with the health that its process reports now."""
        fleet = await self._fleet(request)
        instance = fleet.instance(request.path_params["instance"])
        await health.refresh(fleet, [instance])
        return Response(Reading(fleet).one(instance), media_type=_JSON)

    async def get_health(self, request: Request) -> Response:
        """The process's own answer: 200 or 503."""
        fleet = await self._fleet(request)
        instance = fleet.instance(request.path_params["instance"])
        answer = await health.ask(fleet, instance)
        return Response(Reading(fleet).health(instance, answer), 200 if answer["healthy"] else 503, media_type=_JSON)

    async def _fleet(self, request: Request) -> Fleet:
        """The fleet, after the faults of its agent."""
        return await self._orders.reach(request.path_params["fleet"], request.path_params.get("instance"))

    def _obeying(self, order: Order) -> Callable[[Request], Awaitable[Response]]:
        """Nothing is awaited after the body is read."""

        async def obey(request: Request) -> Response:
            fleet = await self._fleet(request)
            body = await json_body(request)
            call = Call.read(request.headers, request.method, request.url.path, body)
            replayed = call.key in fleet.memory.answers
            target = request.path_params.get("instance") or request.path_params.get("pool", "")
            answer = order(fleet, target, call, body)
            return JSONResponse(answer.body, answer.status, {"Idempotency-Replayed": "true"} if replayed else None)

        return obey
