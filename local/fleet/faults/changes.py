"""Sudden changes of a fleet, as people and autoscalers make them beside an upgrade."""

from enum import StrEnum
from itertools import count
from typing import Annotated

from pydantic import Field

from local.fleet.agent.transitions import Transitions, is_healthy
from local.fleet.instance.instance import Instance, Status
from local.fleet.instance.process import StartFailedError
from local.fleet.refusal import Refusal, malformed
from local.fleet.settings import Body, Version
from local.fleet.state.fleet import Fleet

Id = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/?#]+$")]
_FAR = 1000


class ChangeKind(StrEnum):
    """What happens to the fleet."""

    DRAIN = "drain"  # a person drains the instances
    REMOVE = "remove"  # the instances are gone
    REPLACE = "replace"  # the instances come back under new ids, at `version` or that which they ran
    JOIN = "join"  # `count` new instances, or those of `instances`, appear at `version`, healthy or not
    RAISE_TOKEN = "raise-token"


class Change(Body):
    """One change of a fleet."""

    kind: ChangeKind
    instances: tuple[Id, ...] = ()
    count: Annotated[int, Field(ge=1, le=100)] = 1
    version: Version | None = None
    healthy: bool = True
    at_least: Annotated[int, Field(ge=0)] | None = None


class Changes:
    """Carries changes out; each is complete when it returns, a drain begun."""

    def __init__(self, transitions: Transitions) -> None:
        self._do = transitions

    async def make(self, fleet: Fleet, change: Change) -> None:
        """Make the change.

        :raises Refusal: an unknown instance, or an id that is taken; then nothing has changed.
        """
        match change.kind:
            case ChangeKind.DRAIN:
                self._drain(fleet, _known(fleet, change))
            case ChangeKind.REMOVE:
                self._remove(fleet, _known(fleet, change))
            case ChangeKind.REPLACE:
                await self._replace(fleet, _known(fleet, change), change)
            case ChangeKind.JOIN:
                await self._join(fleet, _new_ids(fleet, change), change)
            case ChangeKind.RAISE_TOKEN:
                wanted = fleet.memory.highest + _FAR if change.at_least is None else change.at_least
                fleet.record("fence", fence=wanted)

    def _drain(self, fleet: Fleet, instances: list[Instance]) -> None:
        for instance in instances:
            if instance.status is Status.RUNNING:
                fleet.move(instance, Status.DRAINING, cause="a person drained it")
                self._do.finish_drain(fleet, instance, None)

    def _remove(self, fleet: Fleet, instances: list[Instance]) -> None:
        for instance in instances:
            fleet.move(instance, None, cause="it was removed")
            self._do.abandon(instance)

    async def _replace(self, fleet: Fleet, instances: list[Instance], change: Change) -> None:
        self._remove(fleet, instances)
        for instance, name in zip(instances, _free_ids(fleet, len(instances)), strict=True):
            await self._appear(fleet, name, change.version or instance.version, change.healthy)

    async def _join(self, fleet: Fleet, names: list[str], change: Change) -> None:
        for name in names:
            await self._appear(fleet, name, change.version or fleet.settings.version, change.healthy)

    async def _appear(self, fleet: Fleet, name: str, version: str, healthy: bool) -> None:
        instance = Instance(name, fleet.traffic, version, Status.RUNNING, born_unhealthy=not healthy)
        try:
            await self._do.start(fleet, instance, version)
        except StartFailedError as error:
            raise Refusal(503, "BUSY", f"no process could be started: {error}") from None
        fleet.move(instance, Status.RUNNING, healthy=is_healthy(fleet, instance), cause="it joined")


def _known(fleet: Fleet, change: Change) -> list[Instance]:
    if not change.instances:
        raise malformed(f"instances: {change.kind} needs their ids")
    return [fleet.instance(name) for name in change.instances]


def _new_ids(fleet: Fleet, change: Change) -> list[str]:
    taken = [name for name in change.instances if name in fleet.instances]
    if taken:
        raise malformed(f"instances: {', '.join(taken)} exist already")
    return list(change.instances) or _free_ids(fleet, change.count)


def _free_ids(fleet: Fleet, wanted: int) -> list[str]:
    """Ids that no instance of the fleet has or had: demo-new-01 …"""
    names = (f"{fleet.name}-new-{number:02d}" for number in count(1))
    free = (name for name in names if name not in fleet.instances and name not in fleet.former)
    return [next(free) for _ in range(wanted)]
