"""Connects the product's driver to a demo agent in the same process: the calls of section 11 without HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from local.fleet.agent import health
from local.fleet.agent.agent import Agent
from local.fleet.agent.orders import Orders
from local.fleet.faults.answers import Reading
from local.fleet.refusal import Refusal
from local.fleet.state.calls import Call
from local.fleet.state.faults import Kind
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import CALL_SECONDS, AgentResponse
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Unreachable


class Wire:
    """What ``AgentDriver`` calls: it asks the agent, and gives up when its client would."""

    def __init__(self, agent: Agent) -> None:
        self._agent, self._orders = agent, Orders(agent)
        self._hanging: set[asyncio.Task[AgentResponse]] = set()
        self._do = {
            ("POST", "drain"): self._orders.drain,
            ("POST", "undrain"): self._orders.undrain,
            ("PUT", "version"): self._orders.upgrade,
            ("PUT", "pools"): self._orders.add_pool,
            ("DELETE", "pools"): self._orders.remove_pool,
            ("PUT", "traffic"): self._orders.switch,
        }

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """The agent's answer. A call that hangs is carried out in the end, even after its caller has given up.

        :raises Unreachable: it takes too long.
        """
        await asyncio.sleep(0)  # others get their turn, as during a real call
        answering = self._answer(method, path, headers or {}, json)
        if not self._hangs(path):
            return await answering
        task = asyncio.create_task(answering)
        self._hanging.add(task)
        await asyncio.wait([task], timeout=CALL_SECONDS)
        if not task.done():
            raise Unreachable("the agent does not answer (TimeoutError)", in_doubt=method != "GET")
        return task.result()

    def _hangs(self, path: str) -> bool:
        fleet, _, instance, _ = _parts(path)
        known = {each.name: each for each in self._agent.fleets()}.get(fleet)
        return known is not None and known.faults.find(Kind.AGENT_HANGS, instance) is not None

    async def _answer(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> AgentResponse:
        try:
            status, answer = await self._act(method, path, headers, body)
        except Refusal as refusal:
            status, answer = refusal.status, json.dumps(refusal.body).encode()
        return AgentResponse(status, answer)

    async def _act(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, bytes]:
        name, kind, target, what = _parts(path)
        fleet = await self._orders.reach(name, target if kind == "instances" else None)
        if fleet.meet(Kind.RESET, target if kind == "instances" else None):
            raise Unreachable("the connection was reset", in_doubt=True)
        if method == "GET" and what == "health":
            instance = fleet.instance(target or "")
            answer = await health.ask(fleet, instance)
            return (200 if answer["healthy"] else 503), Reading(fleet).health(instance, answer)
        if method == "GET":
            for each in health.stale(fleet.listing()):
                await health.ask(fleet, each)
            return 200, Reading(fleet).listing()
        small = {name.lower(): value for name, value in headers.items()}
        call = Call.read(small, method, path, body)
        done = self._do[method, what or kind or ""](fleet, target or "", call, body)
        return done.status, json.dumps(done.body).encode()


def _parts(path: str) -> tuple[str, str | None, str | None, str | None]:
    """Fleet, kind of target, target, and action of a path such as /fleets/f/instances/f-01/drain."""
    parts: list[str | None] = [*path.split("/")[2:], None, None, None]
    return cast(tuple[str, str | None, str | None, str | None], tuple(parts[:4]))


class FleetsInMemory:
    """Port ``Fleets``: the product's own driver with that connection."""

    def __init__(self, agent: Agent) -> None:
        self.wire = Wire(agent)

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """The driver."""
        yield AgentDriver(self.wire, deployment.fleet)
