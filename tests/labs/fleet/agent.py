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
from local.fleet.faults.changes import Change, ChangeKind, Changes
from local.fleet.settings import Settings
from local.fleet.state.calls import Answer, Call
from local.fleet.state.faults import Fault, Kind
from local.fleet.state.fleet import Fleet
from tests.labs.fleet.nursery import JournalsInMemory, SimulatedNursery

T = TypeVar("T")
ForeignOrder = Callable[[Orders, Fleet, str, Call, Any], Answer]
_keys = itertools.count(1)


class AgentInMemory:
    """All rules are the demo agent's own; only its processes, files and HTTP are left out."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.agent = Agent(JournalsInMemory(now), _nothing, SimulatedNursery)
        self.admin = AdminInMemory(self.agent)

    async def create(self, fleet: str, **settings: Any) -> None:
        """Create a fleet; settings as in ``FleetAdmin.create``."""
        await self.agent.create(fleet, Settings(**settings))


class AdminInMemory:
    """Breaks and reads fleets at once, while nothing else runs. Every method raises Refusal."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lines: dict[str, list[Json]] = {}

    def fleets(self) -> list[Json]:
        """All fleets."""
        return [each.described() for each in self._agent.fleets()]

    def fleet(self, fleet: str) -> Json:
        """The protocol's body, and settings, highestFencingToken, and each instance's pid and port."""
        found = self._agent.fleet(fleet)
        for each in health.stale(found.listing()):
            at_once(health.ask(found, each))
        return found.described()

    def delete(self, fleet: str) -> None:
        """Remove the fleet with its processes and log."""
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
        variant: str | None = None,
    ) -> list[Json]:
        """Switch a fault on; without ``instance`` for the fleet. Returns all that are on."""
        found = self._agent.fleet(fleet)
        fault = Fault.read({"kind": kind, "instance": instance, "seconds": seconds, "times": times, "variant": variant})
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

    def change(self, fleet: str, kind: str, *instances: str, **more: Any) -> None:
        """Change the fleet as a person or an autoscaler would; ``more`` as in ``FleetAdmin.change``."""
        change = Change(kind=ChangeKind(kind), instances=instances, **more)
        at_once(Changes(self._agent.transitions).make(self._agent.fleet(fleet), change))

    def log(self, fleet: str) -> list[Json]:
        """The lines of the fleet's journal."""
        lines = self._lines.setdefault(fleet, [])
        lines += [json.loads(each) for each in self._agent.fleet(fleet).journal.since(len(lines)).splitlines()]
        return list(lines)

    def kill(self, fleet: str, instance: str) -> int:
        """Kill the instance's process as by signal 9; returns its pid once it has ended."""
        found = self._agent.fleet(fleet)
        return at_once(self._agent.kill(found, found.instance(instance)))

    def order(self, fleet: str, order: ForeignOrder, target: str, fence: int, body: Any = None) -> Answer:
        """A call of section 11 by another client, with that fencing token."""
        key = f"key-{next(_keys)}"
        call = Call.read({"idempotency-key": key, "x-fencing-token": str(fence)}, "", key, body)
        return order(Orders(self._agent), self._agent.fleet(fleet), target, call, body)


def _faults_changed(fleet: Fleet, kind: Kind | None) -> None:
    """Record the faults, and set the processes' modes by them."""
    fleet.record_faults()
    if kind not in (None, Kind.UNHEALTHY, Kind.FLAPS):
        return
    running = [(each, each.process) for each in fleet.listing() if each.process is not None]
    for each, process in running:
        at_once(process.set_mode(fleet.mode(each)))
    for each, _ in running:
        at_once(health.ask(fleet, each))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, for callers that cannot wait either."""
    try:
        work.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    work.close()
    raise AssertionError("it waits for something")


def _nothing() -> None:
    """Never called: there is no zygote that could be lost."""
