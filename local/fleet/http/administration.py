"""The administration of demo fleets under /demo: not part of specification section 11, and not used by the product."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fleet.agent import health
from local.fleet.agent.agent import Agent
from local.fleet.faults.changes import Change, Changes
from local.fleet.http.protocol import json_body
from local.fleet.refusal import malformed
from local.fleet.settings import Reset, Settings, checked_name
from local.fleet.state.faults import Fault, Kind
from local.fleet.state.fleet import Fleet


class Administration:
    """Creates, resets, breaks and reads fleets."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._changes = Changes(agent.transitions)

    def routes(self) -> list[Route]:
        """The routes."""
        fleet = "/demo/fleets/{fleet}"
        return [
            Route("/demo/fleets", self.list_fleets, methods=["GET"]),
            Route(fleet, self.get_fleet, methods=["GET"]),
            Route(fleet, self.create, methods=["PUT"]),
            Route(fleet, self.delete, methods=["DELETE"]),
            Route(f"{fleet}/reset", self.reset, methods=["POST"]),
            Route(f"{fleet}/faults", self.list_faults, methods=["GET"]),
            Route(f"{fleet}/faults", self.set_fault, methods=["PUT"]),
            Route(f"{fleet}/faults", self.clear_faults, methods=["DELETE"]),
            Route(f"{fleet}/changes", self.change, methods=["POST"]),
            Route(f"{fleet}/log", self.log, methods=["GET"]),
            Route(f"{fleet}/instances/{{instance}}/kill", self.kill, methods=["POST"]),
        ]

    async def list_fleets(self, _: Request) -> Response:
        """Every fleet with its settings."""
        return JSONResponse({"items": [fleet.described() for fleet in self._agent.fleets()]})

    async def get_fleet(self, request: Request) -> Response:
        """One fleet: settings, and each instance with pid and port of its process."""
        fleet = self._fleet(request)
        await health.refresh(fleet, fleet.listing())
        return JSONResponse(fleet.described())

    async def create(self, request: Request) -> Response:
        """201 when new, 200 when it was created the same way before, 409 otherwise."""
        name = checked_name(request.path_params["fleet"])
        fleet, new = await self._agent.create(name, Settings.read(await json_body(request)))
        return JSONResponse(fleet.described(), 201 if new else 200)

    async def delete(self, request: Request) -> Response:
        """Delete the fleet: 204."""
        await self._agent.delete(self._fleet(request))
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        """200 with the fleet as it then is."""
        fleet = self._fleet(request)
        await self._agent.reset(fleet, Reset.read(await json_body(request)))
        return JSONResponse(fleet.described())

    async def list_faults(self, request: Request) -> Response:
        """The faults that are on."""
        return JSONResponse({"items": self._fleet(request).faults.dump()})

    async def set_fault(self, request: Request) -> Response:
        """Switch a fault on; the processes behave so by the time of the answer."""
        fleet, fault = self._fleet(request), Fault.read(await json_body(request))
        if fault.instance is not None:
            fleet.instance(fault.instance)
        fleet.faults.put(fault)
        fleet.record_faults()
        await self._align(fleet, fault.kind)
        return JSONResponse({"items": fleet.faults.dump()})

    async def clear_faults(self, request: Request) -> Response:
        """Switch off those of ?instance= and ?kind=; without them all."""
        fleet, kind = self._fleet(request), request.query_params.get("kind")
        if kind is not None and kind not in list(Kind):
            raise malformed(f"kind: {kind!r} is none of {', '.join(Kind)}")
        fleet.faults.clear(request.query_params.get("instance"), Kind(kind) if kind else None)
        fleet.record_faults()
        await self._align(fleet, Kind(kind) if kind else None)
        return Response(status_code=204)

    async def change(self, request: Request) -> Response:
        """Change the fleet as a person or an autoscaler would; 200 with the fleet as it then is."""
        fleet = self._fleet(request)
        await self._changes.make(fleet, Change.read(await json_body(request)))
        return JSONResponse(fleet.described())

    async def log(self, request: Request) -> Response:
        """The journal's lines after ?since= (default 0: all)."""
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            raise malformed("since: the number of a line, 0 or more")
        lines = self._fleet(request).journal.since(int(since)).splitlines()
        return Response(b'{"items":[' + b",".join(lines) + b"]}", media_type="application/json")

    async def kill(self, request: Request) -> Response:
        """Kill the instance's process (signal 9); answers its pid once it has ended."""
        fleet = self._fleet(request)
        pid = await self._agent.kill(fleet, fleet.instance(request.path_params["instance"]))
        return JSONResponse({"pid": pid})

    def _fleet(self, request: Request) -> Fleet:
        return self._agent.fleet(request.path_params["fleet"])

    async def _align(self, fleet: Fleet, kind: Kind | None) -> None:
        if kind in (None, Kind.UNHEALTHY, Kind.FLAPS):
            await health.align(fleet, fleet.listing())
