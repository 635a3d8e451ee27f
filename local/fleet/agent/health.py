"""The health of instances: their processes are asked, or a very recent answer is used."""

import asyncio
from collections.abc import Iterable
from typing import Any

from local.fleet.instance import probe
from local.fleet.instance.instance import Instance
from local.fleet.state.faults import Kind
from local.fleet.state.fleet import Fleet

_RECENT_SECONDS = 0.5


async def refresh(fleet: Fleet, instances: Iterable[Instance]) -> None:
    """Update `healthy` of the instances: those not asked in the last 0.5 s are asked now, all at the same time."""
    await asyncio.gather(*(ask(fleet, instance) for instance in stale(instances)))


def stale(instances: Iterable[Instance]) -> list[Instance]:
    """Instances with a process that was not asked very recently."""
    old = _now() - _RECENT_SECONDS
    return [each for each in instances if each.process is not None and each.asked_at < old]


async def ask(fleet: Fleet, instance: Instance) -> dict[str, Any]:
    """Ask the instance's process now; the protocol's health body, with `detail` when it is not healthy."""
    process = instance.process
    if process is None:
        return _unhealthy(instance, instance.failure or f"no process: the instance is {instance.status}")
    answer = await process.ask()
    if instance.process is not process:  # it was replaced, or it ended, while it was asked
        return _unhealthy(instance, f"the process just ended: the instance is {instance.status}")
    healthy = answer is not None and answer.get("healthy") is True
    instance.asked_at = _now()
    if healthy != instance.healthy:
        fleet.record("health", instance=instance.id, healthy=healthy, pid=process.pid)
    if answer is None:
        return _unhealthy(instance, f"no answer within {probe.TIMEOUT_SECONDS} s")
    if healthy:
        return {"healthy": True, "version": answer["version"]}
    await _count(fleet, instance)
    return {"healthy": False, "version": answer["version"], "detail": "the instance says that it is unhealthy"}


async def align(fleet: Fleet, instances: Iterable[Instance]) -> None:
    """Set how the processes behave by the current faults, and ask them again."""
    targets = [each for each in instances if each.process is not None]
    await asyncio.gather(*(each.process.set_mode(fleet.mode(each)) for each in targets if each.process))
    await asyncio.gather(*(ask(fleet, each) for each in targets))


async def _count(fleet: Fleet, instance: Instance) -> None:
    """Count an unhealthy answer against the fault that caused it; when the fault is used up the process is reset at
    once.
    """
    for kind in (Kind.UNHEALTHY, Kind.FLAPS):
        fault = fleet.meet(kind, instance.id)
        if fault is None:
            continue
        if fault.times == 1 and instance.process is not None:
            await instance.process.set_mode(fleet.mode(instance))
        return


def _now() -> float:
    """The event loop's clock (seconds, monotonic)."""
    return asyncio.get_running_loop().time()


def _unhealthy(instance: Instance, detail: str) -> dict[str, Any]:
    return {"healthy": False, "version": instance.version, "detail": detail}
