"""The fleet agent protocol, version 1: the HTTP side of contract section 11."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fleet import health
from local.fleet.agent import Agent
from local.fleet.calls import Call
from local.fleet.faults import Kind
from local.fleet.fleet import Fleet
from local.fleet.instance import Instance
from local.fleet.refusal import Refusal, malformed
from local.fleet.settings import NewPool, NewVersion, Traffic, checked_name

Act = Callable[[Call, Any], dict[str, Any]]


async def json_body(request: Request) -> Any:
    """The JSON body, None when there is none; raises Refusal 400."""
    if not await request.body():
        return None
    try:
        return await request.json()
    except ValueError:
        raise malformed("the body is not JSON") from None


class Protocol:
    """One method a call. Faults of the agent come first, then fencing and idempotency, then the call itself."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._do = agent.transitions

    def routes(self) -> list[Route]:
        """The calls of section 11."""
        fleet, instance = "/fleets/{fleet}", "/fleets/{fleet}/instances/{instance}"
        return [
            Route(fleet, self.get_fleet, methods=["GET"]),
            Route(instance, self.get_instance, methods=["GET"]),
            Route(f"{instance}/health", self.get_health, methods=["GET"]),
            Route(f"{instance}/drain", self.drain, methods=["POST"]),
            Route(f"{instance}/undrain", self.undrain, methods=["POST"]),
            Route(f"{instance}/version", self.upgrade, methods=["PUT"]),
            Route(f"{fleet}/pools/{{pool}}", self.add_pool, methods=["PUT"]),
            Route(f"{fleet}/pools/{{pool}}", self.remove_pool, methods=["DELETE"]),
            Route(f"{fleet}/traffic", self.switch, methods=["PUT"]),
        ]

    async def get_fleet(self, request: Request) -> Response:
        """All instances, as their processes say now."""
        fleet = await self._fleet(request)
        await health.refresh(fleet, fleet.listing())
        return JSONResponse(fleet.body())

    async def get_instance(self, request: Request) -> Response:
        """One instance, as its process says now."""
        fleet = await self._fleet(request)
        instance = _instance(fleet, request)
        await health.refresh(fleet, [instance])
        return JSONResponse(instance.body(fleet.leader))

    async def get_health(self, request: Request) -> Response:
        """The process's own answer: 200 or 503."""
        fleet = await self._fleet(request)
        answer = await health.ask(fleet, _instance(fleet, request))
        return JSONResponse(answer, 200 if answer["healthy"] else 503)

    async def drain(self, request: Request) -> Response:
        """RUNNING → DRAINING → DRAINED."""
        return await self._on_instance(request, lambda fleet, each, call, _: self._do.drain(fleet, each, call))

    async def undrain(self, request: Request) -> Response:
        """DRAINING or DRAINED → RUNNING."""
        return await self._on_instance(request, lambda fleet, each, call, _: self._do.undrain(fleet, each, call))

    async def upgrade(self, request: Request) -> Response:
        """DRAINED or STOPPED → UPGRADING → RUNNING at the version, or STOPPED."""

        def act(fleet: Fleet, instance: Instance, call: Call, body: Any) -> None:
            self._do.upgrade(fleet, instance, NewVersion.read(body).version, call)

        return await self._on_instance(request, act)

    async def add_pool(self, request: Request) -> Response:
        """Make a pool."""

        def act(fleet: Fleet, call: Call, body: Any) -> None:
            self._do.add_pool(fleet, checked_name(request.path_params["pool"]), NewPool.read(body), call)

        return await self._on_fleet(request, 202, act)

    async def remove_pool(self, request: Request) -> Response:
        """Remove a pool that has not the traffic."""
        pool = request.path_params["pool"]
        return await self._on_fleet(request, 202, lambda fleet, call, _: self._do.remove_pool(fleet, pool, call))

    async def switch(self, request: Request) -> Response:
        """Switch the traffic."""

        def act(fleet: Fleet, call: Call, body: Any) -> None:
            self._do.switch(fleet, Traffic.read(body).pool, call)

        return await self._on_fleet(request, 200, act)

    async def _fleet(self, request: Request) -> Fleet:
        """The fleet, after the faults of its agent."""
        fleet = self._agent.fleet(request.path_params["fleet"])
        instance = request.path_params.get("instance")
        if hangs := fleet.meet(Kind.AGENT_HANGS, instance):
            await fleet.faults.hang(hangs)
        if fleet.meet(Kind.AGENT_503, instance):
            raise Refusal(503, "BUSY", "the agent is busy (a fault that was switched on); try again later")
        return self._agent.fleet(fleet.name)  # it may have been deleted meanwhile

    async def _on_instance(self, request: Request, act: Callable[[Fleet, Instance, Call, Any], None]) -> Response:
        fleet = await self._fleet(request)

        def on_instance(call: Call, body: Any) -> dict[str, Any]:
            instance = _instance(fleet, request)
            act(fleet, instance, call, body)
            return instance.body(fleet.leader)

        return await _mutate(fleet, request, 202, on_instance)

    async def _on_fleet(self, request: Request, status: int, act: Callable[[Fleet, Call, Any], None]) -> Response:
        fleet = await self._fleet(request)

        def on_fleet(call: Call, body: Any) -> dict[str, Any]:
            act(fleet, call, body)
            return fleet.body()

        return await _mutate(fleet, request, status, on_fleet)


async def _mutate(fleet: Fleet, request: Request, status: int, act: Act) -> Response:
    """Admit the call, do it, and keep effect and answer in one write. Nothing is awaited after the body is read.

    Refusals are not kept for the key: the same call may succeed later. Their fencing token counts all the same.
    """
    body = await json_body(request)
    call = Call.read(request.headers, request.method, request.url.path, body)
    if earlier := fleet.memory.admit(call):
        _see(fleet, call)
        return JSONResponse(earlier.body, earlier.status, {"Idempotency-Replayed": "true"})
    try:
        with fleet.journal.together():
            answer = act(call, body)
            said = {"fingerprint": call.fingerprint, "status": status, "answer": answer}
            fleet.record("call", key=call.key, fence=call.fence, **said)
    except Refusal:
        _see(fleet, call)
        raise
    return JSONResponse(answer, status)


def _see(fleet: Fleet, call: Call) -> None:
    if call.fence > fleet.memory.highest:
        fleet.record("fence", fence=call.fence)


def _instance(fleet: Fleet, request: Request) -> Instance:
    return fleet.instance(request.path_params["instance"])
