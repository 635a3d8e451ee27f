"""A process that crashes at a chosen moment: after its n-th commit or order it does nothing more, not even clean-up."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.labs.lab import Lab
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

AnyLab = TypeVar("AnyLab", bound=Lab)
ORDERS = ("drain", "undrain", "set_version", "make_pool", "remove_pool", "switch_traffic")


class Crashed(Exception):
    """The process has crashed."""


class CrashPoint:
    """Counts the moments; after ``crashes_after`` of them the process crashes (None: never). ``last`` names the last
    action.
    """

    def __init__(self, crashes_after: int | None) -> None:
        self.crashes_after, self.moments, self.last = crashes_after, 0, "nothing"

    @property
    def reached(self) -> bool:
        return self.crashes_after is not None and self.moments >= self.crashes_after

    def check(self) -> None:
        if self.reached:
            raise Crashed(self.last)

    def passed(self, what: str) -> None:
        self.check()
        self.moments, self.last = self.moments + 1, what
        self.check()


class CrashingDriver:
    """A fleet driver; an order that was sent is carried out even if the process crashes before the response."""

    def __init__(self, driver: Any, point: CrashPoint) -> None:
        self._driver, self._point = driver, point

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any) -> Any:
            self._point.check()
            answer = await getattr(self._driver, name)(*given)
            if name in ORDERS:
                self._point.passed(name)
            return answer

        return call


class CrashingFleets:
    """Port ``Fleets``."""

    def __init__(self, fleets: Any, point: CrashPoint) -> None:
        self._fleets, self._point = fleets, point

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[Any]:
        async with self._fleets.of(deployment) as driver:
            yield CrashingDriver(driver, self._point)


def crashing(lab: AnyLab, point: CrashPoint) -> AnyLab:
    """The same lab, used by that process."""
    ports = lab.world.ports
    return lab.with_ports(work=_crashing_work(ports.work, point), fleets=CrashingFleets(ports.fleets, point))


def _crashing_work(work: Callable[[], UnitOfWork], point: CrashPoint) -> Callable[[], UnitOfWork]:
    def begin() -> UnitOfWork:
        point.check()
        begun: Any = work()
        commit = begun.commit

        async def commit_and_maybe_crash() -> None:
            point.check()
            await commit()
            point.passed("commit")

        begun.commit = commit_and_maybe_crash
        return begun  # type: ignore[no-any-return]

    return begin
