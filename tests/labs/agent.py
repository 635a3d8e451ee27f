"""The demo fleet's agent in this process, and its administration with the methods of local.fleet.client.FleetAdmin."""

import itertools
import json
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from local.fleet.agent import health
from local.fleet.agent.agent import Agent
from local.fleet.agent.orders import Orders
from local.fleet.client import Json
from local.fleet.settings import Settings
from local.fleet.state.calls import Answer, Call
from local.fleet.state.faults import Fault, Kind
from local.fleet.state.fleet import Fleet
from tests.labs.nursery import JournalsInMemory, SimulatedNursery

T = TypeVar("T")
ForeignOrder = Callable[[Orders, Fleet, str, Call, Any], Answer]
_keys = itertools.count(1)


class AgentInMemory:
    """All rules are the demo agent's own; only processes, files and HTTP are not there."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.agent = Agent(JournalsInMemory(now), _nothing, SimulatedNursery)
        self.admin = AdminInMemory(self.agent)

    async def create(self, fleet: str, **settings: Any) -> None:
        """A new fleet; settings as ``FleetAdmin.create`` has them."""
        await self.agent.create(fleet, Settings(**settings))


class AdminInMemory:
    """Breaks and reads fleets at once, while nothing else runs. Every method raises Refusal."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lines: dict[str, list[Json]] = {}

    def fleets(self) -> list[Json]:
        """Every fleet."""
        return [each.described() for each in self._agent.fleets()]

    def fleet(self, fleet: str) -> Json:
        """The contract's body, and settings, highestFencingToken, and each instance's pid and port."""
        found = self._agent.fleet(fleet)
        for each in health.stale(found.listing()):
            at_once(health.ask(found, each))
        return found.described()

    def delete(self, fleet: str) -> None:
        """Remove it with its processes and log."""
        at_once(self._agent.delete(self._agent.fleet(fleet)))
        self._lines.pop(fleet, None)

    def fault(
        self,
        fleet: str,
        kind: str,
        instance: str | None = None,
        *,
        seconds: float | None = None,
        times: int | None = None,
    ) -> list[Json]:
        """Switch a fault on; without ``instance`` for the fleet. Returns all that are on."""
        found = self._agent.fleet(fleet)
        fault = Fault.read({"kind": kind, "instance": instance, "seconds": seconds, "times": times})
        if fault.instance is not None:
            found.instance(fault.instance)
        found.faults.put(fault)
        _faults_changed(found, fault.kind)
        return found.faults.dump()

    def clear_faults(self, fleet: str, instance: str | None = None, kind: str | None = None) -> None:
        """Switch faults off: those of the instance, of the kind, or all."""
        found, what = self._agent.fleet(fleet), Kind(kind) if kind else None
        found.faults.clear(instance, what)
        _faults_changed(found, what)

    def log(self, fleet: str) -> list[Json]:
        """The lines of the fleet's journal."""
        lines = self._lines.setdefault(fleet, [])
        lines += [json.loads(each) for each in self._agent.fleet(fleet).journal.since(len(lines)).splitlines()]
        return list(lines)

    def kill(self, fleet: str, instance: str) -> int:
        """As kill -9 of the instance's process; its pid, once it is gone."""
        found = self._agent.fleet(fleet)
        return at_once(self._agent.kill(found, found.instance(instance)))

    def order(self, fleet: str, order: ForeignOrder, target: str, fence: int, body: Any = None) -> Answer:
        """A call of section 11 by somebody else, with that fencing token."""
        key = f"key-{next(_keys)}"
        call = Call.read({"idempotency-key": key, "x-fencing-token": str(fence)}, "", key, body)
        return order(Orders(self._agent), self._agent.fleet(fleet), target, call, body)


def _faults_changed(fleet: Fleet, kind: Kind | None) -> None:
    """Write them down, and let the processes know what concerns them."""
    fleet.record_faults()
    if kind not in (None, Kind.UNHEALTHY, Kind.FLAPS):
        return
    running = [(each, each.process) for each in fleet.listing() if each.process is not None]
    for each, process in running:
        at_once(process.set_mode(fleet.mode(each)))
    for each, _ in running:
        at_once(health.ask(fleet, each))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What comes of work that waits for nothing, from code that cannot wait either."""
    try:
        work.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    work.close()
    raise AssertionError("it waits for something")


def _nothing() -> None:
    """Nobody is lost: there are no processes."""
