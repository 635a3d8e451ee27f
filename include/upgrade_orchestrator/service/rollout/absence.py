"""Watches which instances the fleet's list leaves out, and marks those that are gone (specification section 4)."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Collection
from dataclasses import replace

from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import IN_FLIGHT, Instance
from upgrade_orchestrator.domain.instance.presence import is_lost, lost, observed
from upgrade_orchestrator.domain.plan.batch import Direction
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch_store import BatchStore


class Absence:
    """For one batch and the holder of the lease; ``timeout`` in watched seconds."""

    def __init__(self, ports: Ports, store: BatchStore, timeout: float) -> None:
        self._ports, self._store, self._timeout = ports, store, timeout
        self._looked_at: float | None = None

    def stop_watching(self) -> None:
        """The fleet is not looked at for a while: the time until the next look does not count."""
        self._looked_at = None

    async def note(self, fleet: Fleet | None) -> None:
        """Note a look at the fleet; None: it did not respond, so nobody knows what was there until now."""
        before, now = self._looked_at, get_running_loop().time()
        self._looked_at = now
        if fleet is None:
            return
        state, known = self._store.state, {each.instance_id: each for each in fleet.instances}
        since = 0.0 if before is None else now - before
        rows = {name: observed(each, known, since) for name, each in state.rows.items()}
        jobs = state.jobs if self._store.direction is Direction.BACKWARD else rows
        self._store.state = replace(state, rows=rows, jobs=jobs)
        if names := [name for name, each in rows.items() if is_lost(each, self._timeout)]:
            await self.mark_gone(names)

    async def mark_gone(self, names: Collection[str]) -> None:
        """Write that these instances are gone; those that were being worked on are FAILED."""
        state = self._store.state
        gone = {name: lost(state.rows[name], self._timeout, state.now) for name in names}
        jobs = list(gone.values()) if self._store.direction is Direction.FORWARD else self._failed_jobs(names)
        async with self._ports.work() as work:
            await self._store.save(work, await self._store.lock(work), jobs, [], gone)

    def _failed_jobs(self, names: Collection[str]) -> list[Instance]:
        state = self._store.state
        jobs = [each for name in names if (each := state.jobs.get(name)) and each.status in IN_FLIGHT]
        return [replace(lost(each, self._timeout, state.now), gone=False) for each in jobs]
