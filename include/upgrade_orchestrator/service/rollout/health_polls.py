"""Polls the health of a batch's instances when it is due, and writes the changes (specification section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from upgrade_orchestrator.domain.instance.action import Timeouts, explained, is_ill, next_health, relapse
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import Instance, InstanceStatus
from upgrade_orchestrator.domain.plan.batch import BatchRules, Direction
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.runner.fleet_client import CALLS_SECONDS, FleetClient
from upgrade_orchestrator.service.runner.loop import Backoff, PollSchedule


class HealthPolls:
    """HEALTH_CHECKING instances, and COMPLETED ones that the fleet's list shows as ill."""

    def __init__(self, rules: BatchRules, store: BatchStore, fleet: FleetClient, backoff: Backoff) -> None:
        self._timeouts, self._store, self._fleet, self._backoff = rules.timeouts, store, fleet, backoff
        self._schedule = PollSchedule(rules.poll_seconds)

    async def poll(self, fleet: Fleet | None) -> None:
        """Poll those that are due; ``fleet`` is the last look (None: the fleet was not observed)."""
        state, timeouts = self._store.state, self._timeouts
        jobs = [*_checking(self._store.jobs()), *self._ill(fleet)]
        tries = {_key(each): each for each in jobs}
        due = [tries[key] for key in self._schedule.due(tries)]
        if not due:
            return
        if self._store.direction.withdrawn(state.execution.status):
            timeouts = replace(timeouts, soak=0.0)  # nothing would be upgraded after it
        responses = await self._fleet.poll((each.instance_id for each in due), CALLS_SECONDS)
        due = [each for each in due if each.instance_id in responses]
        polled = [_after_poll(each, responses[each.instance_id], timeouts, state.now) for each in due]
        for before, after in zip(due, polled, strict=True):
            self._plan_next(before, after)
            self._store.journal.polled(before, after, responses[before.instance_id])
        if changed := [after for before, after in zip(due, polled, strict=True) if after != before]:
            await self._store.write(changed)

    async def explained(self, moves: Sequence[Instance], fleet: Fleet | None) -> list[Instance]:
        """The moves; those to FAILED say why, if the instances' own health does: the fleet's list has no reasons."""
        failed = [each.instance_id for each in moves if each.status is InstanceStatus.FAILED]
        if not failed or fleet is None:
            return list(moves)
        said = await self._fleet.poll(failed, CALLS_SECONDS)
        return [explained(each, said[each.instance_id]) if each.instance_id in said else each for each in moves]

    def next_in(self, flying: Iterable[Instance]) -> float:
        """Seconds until the first of these is polled; infinite if none is."""
        return self._schedule.next_in(_key(each) for each in _checking(flying))

    def _ill(self, fleet: Fleet | None) -> list[Instance]:
        forward = self._store.direction is Direction.FORWARD
        if fleet is None or not forward or not self._store.direction.may_start(self._store.state.execution.status):
            return []
        known = {each.instance_id: each for each in fleet.instances}
        return [each for each in self._store.jobs() if is_ill(each, known.get(each.instance_id))]

    def _plan_next(self, before: Instance, after: Instance) -> None:
        if after.status is not before.status:
            self._backoff.changed()
        if after.status is InstanceStatus.HEALTH_CHECKING or after.status is before.status:
            healthy = after.healthy_seconds
            self._schedule.polled(_key(after), None if healthy is None else self._timeouts.soak - healthy)


def _checking(jobs: Iterable[Instance]) -> list[Instance]:
    return [each for each in jobs if each.status is InstanceStatus.HEALTH_CHECKING]


def _key(job: Instance) -> tuple[str, int]:
    """A second try is polled at once again."""
    return job.instance_id, job.attempts


def _after_poll(job: Instance, answer: Health | None, timeouts: Timeouts, now: datetime) -> Instance:
    if job.status is InstanceStatus.COMPLETED:
        return relapse(job, answer, now)
    return next_health(job, answer, timeouts, now)
