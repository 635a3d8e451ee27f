"""What the mutating calls of specification section 11 do to a fleet: the first step at once, the rest in the
background.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from local.fleet.instance.failure import output_of_failed_upgrade
from local.fleet.instance.instance import Instance, Status
from local.fleet.instance.process import Nursery, StartFailedError
from local.fleet.instance.server import OK
from local.fleet.refusal import unknown, wrong_state
from local.fleet.settings import NewPool
from local.fleet.state.calls import Call
from local.fleet.state.faults import Kind
from local.fleet.state.fleet import Fleet, instance_ids


class Transitions:
    """Each method makes the step that the call's answer shows, without waiting.

    :raises Refusal: the state forbids it.
    """

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._running: set[asyncio.Task[None]] = set()

    def drain(self, fleet: Fleet, instance: Instance, call: Call) -> None:
        """RUNNING → DRAINING → DRAINED; no change when it is draining, drained or STOPPED."""
        if instance.status is Status.UPGRADING:
            raise _wrong(instance, "drained", Status.RUNNING)
        if instance.status is Status.RUNNING:
            fleet.move(instance, Status.DRAINING, call)
            self.finish_drain(fleet, instance, call)

    def finish_drain(self, fleet: Fleet, instance: Instance, call: Call | None) -> None:
        """Let a DRAINING instance become DRAINED after its time (also after a restart of the agent)."""
        instance.work = self.begin(self._drain(fleet, instance, call))

    def undrain(self, fleet: Fleet, instance: Instance, call: Call) -> None:
        """DRAINING or DRAINED → RUNNING; no change when it is RUNNING."""
        if instance.status in (Status.UPGRADING, Status.STOPPED):
            raise _wrong(instance, "undrained", Status.DRAINING, Status.DRAINED, Status.RUNNING)
        if instance.status is not Status.RUNNING:
            cancel(instance)
            fleet.move(instance, Status.RUNNING, call)

    def upgrade(self, fleet: Fleet, instance: Instance, version: str, call: Call) -> None:
        """DRAINED or STOPPED → UPGRADING → RUNNING at the version, or STOPPED: the process is really replaced."""
        if instance.status not in (Status.DRAINED, Status.STOPPED):
            raise _wrong(instance, "given a version", Status.DRAINED, Status.STOPPED)
        fleet.move(instance, Status.UPGRADING, call, healthy=False)
        instance.work = self.begin(self._upgrade(fleet, instance, version, call))

    def add_pool(self, fleet: Fleet, name: str, wanted: NewPool, call: Call) -> None:
        """Make a pool; no change when the same one exists."""
        known = fleet.pools.get(name)
        if known == wanted:
            return
        if known is not None:
            raise wrong_state(f"pool {name!r} exists with version {known.version!r} and size {known.size}")
        if wanted.size > fleet.free:
            raise wrong_state(f"pool {name!r} needs {wanted.size} instances, {fleet.free} are free")
        fleet.record("pool", pool=name, version=wanted.version, size=wanted.size)
        for instance_id in instance_ids(fleet.name, name, wanted.size):
            instance = Instance(instance_id, name, wanted.version, Status.UPGRADING)
            fleet.move(instance, Status.UPGRADING, call)
            instance.work = self.begin(self._upgrade(fleet, instance, wanted.version, call))

    def remove_pool(self, fleet: Fleet, name: str, call: Call) -> None:
        """Remove a pool and its instances, unless it has the traffic."""
        if name not in fleet.pools:
            raise unknown("pool", name)
        if name == fleet.traffic:
            raise wrong_state(f"pool {name!r} has the traffic: switch it first")
        fleet.record("pool", pool=name, version=None, size=None)
        for instance in [each for each in fleet.listing() if each.pool == name]:
            fleet.move(instance, None, call)
            self.abandon(instance)

    def switch(self, fleet: Fleet, pool: str, call: Call) -> None:
        """Switch the traffic to a pool in one step."""
        if pool not in fleet.pools:
            raise unknown("pool", pool)
        if pool != fleet.traffic:
            fleet.record("traffic", pool=pool, key=call.key, fence=call.fence)

    def abandon(self, instance: Instance) -> None:
        """End the process and the transition of an instance that is no longer in its fleet."""
        cancel(instance)
        if instance.process is not None:
            self._nursery.kill(instance.process)
            instance.process = None

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it in the background; a reference is kept, because the event loop keeps none."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def close(self) -> None:
        """Stop everything that runs in the background."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def start(self, fleet: Fleet, instance: Instance, version: str) -> None:
        """Start a process for the instance at the version.

        :raises StartFailedError: it does not start.
        """
        mode = fleet.mode(instance)
        process = await self._nursery.start(fleet.name, instance.id, version, mode)
        if process.gone.is_set():
            raise StartFailedError("the process ended at once")
        instance.process = process
        if fleet.mode(instance) != mode:  # a fault was switched on or off meanwhile
            await process.set_mode(fleet.mode(instance))

    async def _drain(self, fleet: Fleet, instance: Instance, call: Call | None) -> None:
        await asyncio.sleep(fleet.settings.drain_seconds)
        fleet.move(instance, Status.DRAINED, call)

    async def _upgrade(self, fleet: Fleet, instance: Instance, version: str, call: Call) -> None:
        await self._stop(instance)
        instance.failure = ""
        slow = fleet.meet(Kind.SLOW, instance.id)
        await asyncio.sleep(fleet.settings.upgrade_seconds + (slow.seconds or 0 if slow else 0))
        if fleet.meet(Kind.UPGRADE_FAILS, instance.id):
            instance.failure = output_of_failed_upgrade(instance.id, version)
            fleet.move(instance, Status.STOPPED, call, healthy=False, cause="fault upgrade-fails")
            return
        instance.born_unhealthy = fleet.meet(Kind.COMES_UP_UNHEALTHY, instance.id) is not None
        try:
            await self.start(fleet, instance, version)
        except StartFailedError as error:
            fleet.move(instance, Status.STOPPED, call, healthy=False, cause=str(error))
            return
        fleet.move(instance, Status.RUNNING, call, version=version, healthy=is_healthy(fleet, instance))

    async def _stop(self, instance: Instance) -> None:
        process, instance.process = instance.process, None
        if process is not None:
            await self._nursery.stop(process)


def is_healthy(fleet: Fleet, instance: Instance) -> bool:
    """Whether a process that was just started is set to be healthy; its own answer is asked for later."""
    return fleet.mode(instance) == OK


def cancel(instance: Instance) -> None:
    """Cancel the running transition."""
    if instance.work is not None:
        instance.work.cancel()
        instance.work = None


def _wrong(instance: Instance, what: str, *accepted: Status) -> Exception:
    allowed = " or ".join(accepted)
    return wrong_state(f"instance {instance.id!r} is {instance.status}; it can be {what} when {allowed}")
