"""The agent: its fleets and their administration."""

import asyncio
from collections.abc import Callable

from local.fleet.agent.transitions import Transitions, is_healthy
from local.fleet.instance.instance import WITH_PROCESS, Instance, Status
from local.fleet.instance.process import Nursery, Process, StartFailedError
from local.fleet.instance.server import OK
from local.fleet.refusal import Refusal, malformed, unknown, wrong_state
from local.fleet.settings import Reset, Settings
from local.fleet.state.fleet import FIRST_POOL, Fleet, instance_ids
from local.fleet.state.journals import Journals

MakeNursery = Callable[[Callable[[Process], None], Callable[[], None]], Nursery]


class Agent:
    """All fleets of one agent process; `on_lost` is called if the zygote, which holds the processes, dies."""

    def __init__(self, journals: Journals, on_lost: Callable[[], None], make_nursery: MakeNursery = Nursery) -> None:
        self._journals = journals
        self._fleets: dict[str, Fleet] = {}
        self._nursery = make_nursery(self._on_exit, on_lost)
        self._changing = (
            asyncio.Lock()
        )  # creation, reset and deletion wait for processes, so they run one after the other
        self.transitions = Transitions(self._nursery)

    async def open(self) -> None:
        """Restore the recorded fleets from disk, with new processes."""
        await self._nursery.open()
        for name in self._journals.names():
            await self._bring_back(Fleet(name, self._journals.open(name)))

    def release(self) -> None:
        """End the calls that hang; the faults stay recorded."""
        for fleet in self._fleets.values():
            fleet.faults.end()

    async def close(self) -> None:
        """End every process."""
        await self.transitions.close()
        await self._nursery.close()
        for fleet in self._fleets.values():
            fleet.journal.close()

    def fleets(self) -> list[Fleet]:
        """All fleets, by name."""
        return [self._fleets[name] for name in sorted(self._fleets)]

    def fleet(self, name: str) -> Fleet:
        """The fleet.

        :raises Refusal: 404, there is none of that name.
        """
        found = self._fleets.get(name)
        if found is None:
            raise unknown("fleet", name)
        return found

    async def create(self, name: str, settings: Settings) -> tuple[Fleet, bool]:
        """The fleet, and whether it is new. One that was created with the same settings stays as it is.

        :raises Refusal: 409, there is one with other settings.
        """
        async with self._changing:
            known = self._fleets.get(name)
            if known is None:
                return await self._create(name, settings), True
            if known.origin != settings:
                detail = f"fleet {name!r} exists with other settings: reset or delete it"
                raise wrong_state(detail, settings=known.origin.dump())
            return known, False

    async def create_if_missing(self, name: str, settings: Settings) -> None:
        """The fleet of the command line; one that exists is kept as it is."""
        if name not in self._fleets:
            await self.create(name, settings)

    async def reset(self, fleet: Fleet, asked: Reset) -> None:
        """Reset every instance to RUNNING and healthy at the version in the first pool, faults off; the journal
        continues.
        """
        async with self._changing:
            settings = asked.applied_to(fleet.settings)
            fresh = await self._start_all(fleet.name, settings)
            old = fleet.listing()
            with fleet.journal.together():
                fleet.record("reset", settings=settings.dump(), forgetFencing=asked.forget_fencing)
                self._add(fleet, fresh)
            for instance in old:
                self.transitions.abandon(instance)

    async def delete(self, fleet: Fleet) -> None:
        """Remove the fleet, its processes and its journal."""
        async with self._changing:
            if self._fleets.pop(fleet.name, None) is None:
                return
            fleet.faults.end()
            for instance in fleet.listing():
                self.transitions.abandon(instance)
            fleet.journal.close()
            self._journals.remove(fleet.name)

    async def kill(self, fleet: Fleet, instance: Instance) -> int:
        """Kill the instance's process (signal 9) and wait until it has ended; returns its pid.

        :raises Refusal: 409, it has no process.
        """
        process = instance.process
        if process is None:
            raise wrong_state(
                f"instance {instance.id!r} of fleet {fleet.name!r} is {instance.status}: it has no process"
            )
        await self._nursery.stop(process)
        return process.pid

    async def _create(self, name: str, settings: Settings) -> Fleet:
        fresh = await self._start_all(name, settings)
        fleet = Fleet(name, self._journals.open(name))
        with fleet.journal.together():
            fleet.record("created", settings=settings.dump())
            self._add(fleet, fresh)
        self._fleets[name] = fleet
        return fleet

    async def _start_all(self, name: str, settings: Settings) -> list[Instance]:
        """New instances with processes, which are not part of the fleet yet."""
        ids = instance_ids(name, FIRST_POOL, settings.size)
        if settings.leader not in (None, *ids):
            raise malformed(f"leader: {settings.leader!r} is none of {ids[0]} to {ids[-1]}")
        fresh = [Instance(each, FIRST_POOL, settings.version, Status.RUNNING) for each in ids]
        results = await asyncio.gather(*(self._start_fresh(name, each) for each in fresh), return_exceptions=True)
        failed = next((each for each in results if each is not None), None)
        if failed is not None:
            for instance in fresh:
                self.transitions.abandon(instance)
            raise Refusal(503, "BUSY", f"no process could be started: {failed}")
        return fresh

    async def _start_fresh(self, fleet: str, instance: Instance) -> None:
        instance.process = await self._nursery.start(fleet, instance.id, instance.version, OK)

    def _add(self, fleet: Fleet, fresh: list[Instance]) -> None:
        for instance in fresh:
            fleet.move(instance, Status.RUNNING, healthy=True)

    async def _bring_back(self, fleet: Fleet) -> None:
        if not fleet.created:  # the agent died before it recorded the creation
            fleet.journal.close()
            self._journals.remove(fleet.name)
            return
        self._fleets[fleet.name] = fleet
        await asyncio.gather(*(self._revive(fleet, instance) for instance in fleet.listing()))

    async def _revive(self, fleet: Fleet, instance: Instance) -> None:
        """Processes died with the agent, and so did upgrades in progress; draining continues."""
        cause = "the agent was restarted"
        if instance.status is Status.UPGRADING:
            fleet.move(instance, Status.STOPPED, healthy=False, cause=f"{cause} during the upgrade")
        if instance.status not in WITH_PROCESS:
            return
        try:
            await self.transitions.start(fleet, instance, instance.version)
        except StartFailedError as error:
            fleet.move(instance, Status.STOPPED, healthy=False, cause=str(error))
            return
        fleet.move(instance, instance.status, healthy=is_healthy(fleet, instance), cause=cause)
        if instance.status is Status.DRAINING:
            self.transitions.finish_drain(fleet, instance, None)

    def _on_exit(self, process: Process) -> None:
        """Handle the end of a process. If its instance still uses it, something else killed it: the instance becomes
        STOPPED.
        """
        fleet = self._fleets.get(process.fleet)
        instance = fleet.instances.get(process.instance) if fleet else None
        if fleet is None or instance is None or instance.process is not process:
            return
        self.transitions.abandon(instance)
        fleet.move(instance, Status.STOPPED, healthy=False, pid=process.pid, cause="the process died")
