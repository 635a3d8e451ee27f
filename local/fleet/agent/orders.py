"""The calls of specification section 11 to an agent, whether they come over HTTP or from code in this process."""

from collections.abc import Callable
from typing import Any

from local.fleet.agent.agent import Agent
from local.fleet.instance.instance import Instance
from local.fleet.refusal import Refusal
from local.fleet.settings import NewPool, NewVersion, Traffic, checked_name
from local.fleet.state.calls import Answer, Call
from local.fleet.state.faults import Kind
from local.fleet.state.fleet import Fleet

Order = Callable[[Fleet, str, Call, Any], Answer]
"""Carries out a call on an instance or pool of the fleet, given its body; nothing is awaited meanwhile."""


class Orders:
    """Checks faults of the agent first, then fencing and idempotency, and then makes the call itself."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._do = agent.transitions

    async def reach(self, name: str, instance: str | None = None) -> Fleet:
        """The fleet, after the faults of its agent.

        :raises Refusal: 404, there is none; 503, by a fault.
        """
        fleet = self._agent.fleet(name)
        if hangs := fleet.meet(Kind.AGENT_HANGS, instance):
            await fleet.faults.hang(hangs)
        if fleet.meet(Kind.AGENT_503, instance):
            raise Refusal(503, "BUSY", "the agent is busy (a fault that was switched on); try again later")
        return self._agent.fleet(fleet.name)  # it may have been deleted meanwhile

    def drain(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """RUNNING → DRAINING → DRAINED."""
        return _on_instance(fleet, target, call, lambda instance: self._do.drain(fleet, instance, call))

    def undrain(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """DRAINING or DRAINED → RUNNING."""
        return _on_instance(fleet, target, call, lambda instance: self._do.undrain(fleet, instance, call))

    def upgrade(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """DRAINED or STOPPED → UPGRADING → RUNNING at the version, or STOPPED."""

        def act(instance: Instance) -> None:
            self._do.upgrade(fleet, instance, NewVersion.read(body).version, call)

        return _on_instance(fleet, target, call, act)

    def add_pool(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """Make a pool."""

        def act() -> None:
            self._do.add_pool(fleet, checked_name(target), NewPool.read(body), call)

        return _on_fleet(fleet, call, 202, act)

    def remove_pool(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """Remove a pool that does not have the traffic."""
        return _on_fleet(fleet, call, 202, lambda: self._do.remove_pool(fleet, target, call))

    def switch(self, fleet: Fleet, target: str, call: Call, body: Any) -> Answer:
        """Switch the traffic to the pool that the body names."""
        return _on_fleet(fleet, call, 200, lambda: self._do.switch(fleet, Traffic.read(body).pool, call))


def _on_instance(fleet: Fleet, name: str, call: Call, act: Callable[[Instance], None]) -> Answer:
    def on_instance() -> dict[str, Any]:
        instance = fleet.instance(name)
        act(instance)
        return instance.body(fleet.leader)

    return _mutate(fleet, call, 202, on_instance)


def _on_fleet(fleet: Fleet, call: Call, status: int, act: Callable[[], None]) -> Answer:
    def on_fleet() -> dict[str, Any]:
        act()
        return fleet.body()

    return _mutate(fleet, call, status, on_fleet)


def _mutate(fleet: Fleet, call: Call, status: int, act: Callable[[], dict[str, Any]]) -> Answer:
    """Admit the call, carry it out, and write effect and answer together; a repetition gets the first answer.

    A refusal is not kept for its key: the same call may succeed later. Its fencing token counts anyway.
    """
    if earlier := fleet.memory.admit(call):
        _see(fleet, call)
        return earlier
    try:
        with fleet.journal.together():
            answer = act()
            said = {"fingerprint": call.fingerprint, "status": status, "answer": answer}
            fleet.record("call", key=call.key, fence=call.fence, **said)
    except Refusal:
        _see(fleet, call)
        raise
    return fleet.memory.answers[call.key]


def _see(fleet: Fleet, call: Call) -> None:
    if call.fence > fleet.memory.highest:
        fleet.record("fence", fence=call.fence)
