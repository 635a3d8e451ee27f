"""Runners that go one port call at a time, on a clock that can be put forward: any interleaving, and reproducible.

A runner stops before every transaction and every call of the fleet, and where it waits. It holds no lock there, so
another runner or a command may do anything meanwhile, and the runner may be killed there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast

from upgrade_orchestrator.domain.errors import Unavailable
from upgrade_orchestrator.service.ports.signals import Names
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

TRANSACTION, FLEET, ORDER, WAIT = "transaction", "fleet", "order", "wait"
"The kinds of places where a runner stops."
LEASE_SECONDS = 3600.0
"Leases are ended by a rule, not because this machine is slow."


class Killed(Exception):
    """The process of this runner is dead: it does nothing more, and does not even release its lease."""


class Clock:
    """The only clock: it stands still until it is put forward, however slow the machine is."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start = datetime.now(UTC)

    def put_forward(self, seconds: float) -> None:
        """Let that much time pass."""
        self.seconds += seconds

    def now(self) -> datetime:
        """The database's time; a little later at each call."""
        self.seconds += 1e-6
        return self._start + timedelta(seconds=self.seconds)


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop on that clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        super().__init__()

    def time(self) -> float:
        return self.clock.seconds


@dataclass(frozen=True)
class Stop:
    """The place where a runner stands; ``seconds`` is how long it would wait there."""

    at: str
    seconds: float
    go_on: asyncio.Future[bool]


class Gate:
    """Lets one runner pass its stops one by one."""

    def __init__(self) -> None:
        self.dead = False
        self.open = False
        self.next_commit: str | None = None
        "None, or 'refused' or 'unanswered': how the next transaction fails; the runner gets Unavailable."
        self.stirred = asyncio.Event()
        "Set when the runner stands at another stop, or has ended."
        self._stops: deque[Stop] = deque()

    async def stop(self, at: str, seconds: float) -> bool:
        """Wait until the runner may go on; True when a signal woke it before its time."""
        if self.dead:
            raise Killed(at)
        if self.open:
            return False
        stop = Stop(at, seconds, asyncio.get_running_loop().create_future())
        self._stops.append(stop)
        self.stirred.set()
        return await stop.go_on

    @property
    def stands_at(self) -> Stop | None:
        """The oldest stop that was not passed yet."""
        while self._stops and self._stops[0].go_on.done():
            self._stops.popleft()
        return self._stops[0] if self._stops else None

    def kill(self) -> None:
        """Let nothing pass any more."""
        self.dead = True
        while stop := self.stands_at:
            stop.go_on.set_exception(Killed(stop.at))


_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


async def passing(at: str, seconds: float = 0.0) -> bool:
    """Stop here if this is a runner; True when a signal woke it."""
    gate = _gate.get()
    return await gate.stop(at, seconds) if gate else False


async def stepped_wait(seconds: float) -> None:
    """A wait that is a stop of a runner; a command's puts the clock forward. On another event loop time passes."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SteppedLoop):
        await asyncio.sleep(seconds)
    elif _gate.get() is not None:
        await passing(WAIT, seconds)
    else:
        loop.clock.put_forward(seconds)


class Runner:
    """A running use case."""

    def __init__(self, name: str, work: Coroutine[Any, Any, Any], clock: Clock) -> None:
        self.name, self.gate, self._clock = name, Gate(), clock
        context = copy_context()
        context.run(_gate.set, self.gate)
        self.task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work, context=context)
        self.task.add_done_callback(lambda _: self.gate.stirred.set())

    async def settle(self) -> None:
        """Wait until it stands at a stop, or has ended."""
        for _ in range(10):  # calls made side by side take at most this many turns
            await asyncio.sleep(0)
        while not self.task.done() and self.gate.stands_at is None:
            self.gate.stirred.clear()
            await self.gate.stirred.wait()

    async def step(self, woken: bool = False) -> None:
        """Pass one stop; a wait is over because of a signal, or because its time has passed."""
        await self.settle()
        stop = self.gate.stands_at
        if stop is None:
            return
        if not woken:
            self._clock.put_forward(stop.seconds)
        if not stop.go_on.done():  # a time-out may have ended the wait here
            stop.go_on.set_result(woken)
        await self.settle()

    async def kill(self) -> None:
        """Kill it, as by signal 9: its lease remains."""
        self.gate.kill()
        await asyncio.wait([self.task])

    async def cancel(self) -> None:
        """Ask it to end, as a process is asked: it may clean up."""
        self.gate.open = True
        self.task.cancel()
        await asyncio.wait([self.task])


class SteppedWork:
    """A store's unit of work behind the gate, on that clock."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work, self._clock = work, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    async def __aenter__(self) -> Self:
        await passing(TRANSACTION)
        await self._work.__aenter__()
        return self

    async def __aexit__(self, *how: Any) -> None:
        await self._work.__aexit__(*how)

    async def now(self) -> datetime:
        return self._clock.now()

    async def commit(self) -> None:
        gate = _gate.get()
        fate = gate.next_commit if gate else None
        if gate is not None:
            gate.next_commit = None
        if fate == "refused":
            raise Unavailable("the database went away before the commit")
        await self._work.commit()
        if fate == "unanswered":
            raise Unavailable("the database went away before it answered to the commit")


def stepped(work: Callable[[], UnitOfWork], clock: Clock) -> Callable[[], UnitOfWork]:
    """The same units of work, behind the gate of their runner."""
    return lambda: cast(UnitOfWork, SteppedWork(work(), clock))


class SteppedSignals:
    """Port ``Signals`` and ``Waiter`` in one: a runner that waits stands at a stop."""

    @asynccontextmanager
    async def of(self, execution_id: str) -> AsyncIterator[Self]:
        yield self

    def names(self) -> AbstractAsyncContextManager[Names]:
        raise AssertionError("only the live feed asks for names, and the bench has none")

    async def wait(self, seconds: float) -> bool:
        return await passing(WAIT, max(0.0, seconds))
