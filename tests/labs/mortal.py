"""A process that dies at a chosen moment: after its n-th commit or order it does nothing more, not even clean-up."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.labs.lab import Lab
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

AnyLab = TypeVar("AnyLab", bound=Lab)
ORDERS = ("drain", "undrain", "set_version", "make_pool", "remove_pool", "switch_traffic")


class Died(Exception):
    """The process has died."""


class Life:
    """Counts the moments; after ``ends_after`` of them the process dies (None: never). ``last`` names the last
    action.
    """

    def __init__(self, ends_after: int | None) -> None:
        self.ends_after, self.moments, self.last = ends_after, 0, "nothing"

    @property
    def over(self) -> bool:
        return self.ends_after is not None and self.moments >= self.ends_after

    def check(self) -> None:
        if self.over:
            raise Died(self.last)

    def passed(self, what: str) -> None:
        self.check()
        self.moments, self.last = self.moments + 1, what
        self.check()


class MortalDriver:
    """A fleet driver; an order that was sent is carried out even if the process dies before the answer."""

    def __init__(self, driver: Any, life: Life) -> None:
        self._driver, self._life = driver, life

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any) -> Any:
            self._life.check()
            answer = await getattr(self._driver, name)(*given)
            if name in ORDERS:
                self._life.passed(name)
            return answer

        return call


class MortalFleets:
    """Port ``Fleets``."""

    def __init__(self, fleets: Any, life: Life) -> None:
        self._fleets, self._life = fleets, life

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[Any]:
        async with self._fleets.of(deployment) as driver:
            yield MortalDriver(driver, self._life)


def mortal(lab: AnyLab, life: Life) -> AnyLab:
    """The same lab, used by that process."""
    ports = lab.world.ports
    return lab.with_ports(work=_mortal_work(ports.work, life), fleets=MortalFleets(ports.fleets, life))


def _mortal_work(work: Callable[[], UnitOfWork], life: Life) -> Callable[[], UnitOfWork]:
    def begin() -> UnitOfWork:
        life.check()
        begun: Any = work()
        commit = begun.commit

        async def commit_and_maybe_die() -> None:
            life.check()
            await commit()
            life.passed("commit")

        begun.commit = commit_and_maybe_die
        return begun  # type: ignore[no-any-return]

    return begin
