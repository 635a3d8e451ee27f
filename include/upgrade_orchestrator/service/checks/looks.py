"""Looks at a fleet that decide nothing when they fail once: they are repeated within a time limit (section 4)."""

from __future__ import annotations

import asyncio
from asyncio import gather, get_running_loop
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import (
    FleetDriver,
    FleetError,
    RefusedToken,
    UnknownFleet,
    WrongConnection,
)
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.fleet_client import LOW_CONCURRENCY

FIRST_GAP, LONGEST_GAP = 0.5, 5.0
"Seconds between two looks: the gap doubles."
COMMAND_SECONDS = 15.0
"How long a call of the API looks again, whose caller waits for the response: longer than one call to a fleet takes."
LASTING = (UnknownFleet, RefusedToken, WrongConnection)
LASTING_LOOKS = 3
"Refusals that waiting rarely changes; they end the looks after this many, 1.5 s, since an agent may just be starting."

T = TypeVar("T")


def seconds_for_looks(timeout: float, *, caller_waits: bool) -> float:
    """For how long looks are repeated: a little less than the time-out, so that the last error can still be named."""
    within = timeout - min(1.0, timeout / 10)
    return min(within, COMMAND_SECONDS) if caller_waits else within


async def wait(seconds: float) -> None:
    """The gap between two looks; a function of its own, so that a clock that is put forward by hand can pass it."""
    await asyncio.sleep(seconds)


async def look_again(look: Callable[[], Awaitable[T]], seconds: float, attention: AttentionKeeper | None = None) -> T:
    """The result of the first look that does not fail; ``attention`` notes what the others met.

    :raises FleetError: that of the last look; it says how many there were.
    :raises TimeoutError: the first look took longer than ``seconds``.
    """
    end, gap, looks = get_running_loop().time() + seconds, FIRST_GAP, 0
    last: FleetError | None = None
    while True:
        looks += 1
        try:
            async with asyncio.timeout_at(end):
                return await _noted(look, attention)
        except FleetError as error:
            last = error
        except TimeoutError:
            if last is None:
                raise
            raise _counted(last, looks) from None
        over = get_running_loop().time() + gap >= end
        if over or (isinstance(last, LASTING) and looks >= LASTING_LOOKS):
            raise _counted(last, looks)
        await wait(gap)
        gap = min(gap * 2, LONGEST_GAP)


async def _noted(look: Callable[[], Awaitable[T]], attention: AttentionKeeper | None) -> T:
    try:
        found = await look()
    except FleetError as error:
        if attention is not None:
            await attention.note(error, None)
        raise
    if attention is not None:
        await attention.note(None, None)
    return found


def _counted(error: FleetError, looks: int) -> FleetError:
    if looks > 1:
        error.args = (f"{error} (looked {looks} times)",)
    return error


async def look_at_fleet(
    ports: Ports, deployment: Deployment, seconds: float, attention: AttentionKeeper | None = None
) -> Fleet:
    """The fleet; raises as ``look_again``."""

    async def look() -> Fleet:
        async with ports.fleets.of(deployment) as driver:
            return await driver.fleet()

    return await look_again(look, seconds, attention)


class Endpoints:
    """The health endpoints of instances: each is asked until it has answered once."""

    def __init__(self, ports: Ports, deployment: Deployment, instance_ids: Iterable[str]) -> None:
        self._ports, self._deployment = ports, deployment
        self.silent = dict.fromkeys(instance_ids, "no answer")
        "Why each that has not answered yet did not."
        self.looks = 0
        "How often the silent ones were asked."

    async def look(self) -> None:
        """Ask those that have not answered yet.

        :raises FleetError: the error of one of them, of a kind that may change if there is one.
        """
        gate = asyncio.Semaphore(LOW_CONCURRENCY)
        async with self._ports.fleets.of(self._deployment) as driver:
            errors = [each for each in await gather(*(self._ask(driver, name, gate) for name in self.silent)) if each]
        self.looks += 1
        if errors:
            raise next((each for each in errors if not isinstance(each, LASTING)), errors[0])

    async def _ask(self, driver: FleetDriver, name: str, gate: asyncio.Semaphore) -> FleetError | None:
        async with gate:
            try:
                await driver.health(name)
            except FleetError as error:
                self.silent[name] = str(error)
                return error
        del self.silent[name]
        return None
