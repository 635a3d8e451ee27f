"""A fleet whose answers a test edits on their way: what an agent says need not be what there is."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Fleets, Unreachable

Edit = Callable[[Fleet], Fleet]
EditHealth = Callable[[str, Health], Health]


def as_it_is(fleet: Fleet) -> Fleet:
    """No edit."""
    return fleet


def empty(fleet: Fleet) -> Fleet:
    """The list of an agent that is just restarting."""
    return replace(fleet, instances=())


def only_running(fleet: Fleet) -> Fleet:
    """The list of an agent that leaves out what does not run."""
    return without(lambda each: each.status != "RUNNING")(fleet)


def without(which: Callable[[FleetInstance], bool]) -> Edit:
    """The list without these."""
    return lambda fleet: replace(fleet, instances=tuple(each for each in fleet.instances if not which(each)))


def without_ids(*names: str) -> Edit:
    """The list without the instances of these ids."""
    return without(lambda each: each.instance_id in names)


def shown_as(status: str, *names: str) -> Edit:
    """The list with these in another status."""
    return lambda fleet: replace(
        fleet,
        instances=tuple(
            replace(each, status=status) if each.instance_id in names else each for each in fleet.instances
        ),
    )


def renamed(*names: str) -> Edit:
    """The list in which these were replaced under new ids."""
    return lambda fleet: replace(
        fleet,
        instances=tuple(
            replace(each, instance_id=f"{each.instance_id}-new") if each.instance_id in names else each
            for each in fleet.instances
        ),
    )


@dataclass
class EditedFleets:
    """Port ``Fleets``: the answers pass ``edit`` and ``edit_health``; ``before`` may raise, by the call's name."""

    fleets: Fleets
    edit: Edit = as_it_is
    edit_health: EditHealth = lambda _, answer: answer
    before: Callable[[str, str], None] = lambda _, __: None
    calls: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """The real driver, edited."""
        async with self.fleets.of(deployment) as driver:
            yield _Edited(self, driver)


class _Edited:
    def __init__(self, rules: EditedFleets, driver: FleetDriver) -> None:
        self._rules, self._driver = rules, driver

    async def fleet(self) -> Fleet:
        self._count("fleet", "")
        return self._rules.edit(await self._driver.fleet())

    async def health(self, instance_id: str) -> Health:
        self._count("health", instance_id)
        return self._rules.edit_health(instance_id, await self._driver.health(instance_id))

    def __getattr__(self, name: str) -> Any:
        order = getattr(self._driver, name)

        async def give(target: str, *more: Any) -> None:
            self._count(name, target)
            await order(target, *more)

        return give

    def _count(self, name: str, target: str) -> None:
        self._rules.calls[name] += 1
        self._rules.before(name, target)


def silent(*_: str) -> None:
    """Use as ``before``: the agent does not answer.

    :raises Unreachable: always.
    """
    raise Unreachable("the agent does not answer", in_doubt=True)
