"""The last look at the planned instances, repeated until they are well or the time-out is over (section 4)."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from upgrade_orchestrator.domain.checks import checks
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.action import Order
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.instance.instance import MAX_ATTEMPTS, Instance, InstanceStatus, move
from upgrade_orchestrator.domain.instance.names import named
from upgrade_orchestrator.domain.instance.presence import LONGEST_GAP_SECONDS
from upgrade_orchestrator.domain.plan.drained import in_service, to_drain_again
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.absence import Absence
from upgrade_orchestrator.service.rollout.batch_store import BatchStore
from upgrade_orchestrator.service.runner.attention import AttentionKeeper
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fleet_client import CALLS_SECONDS, FleetClient
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.lease import LeaseKeeper, no_clocks
from upgrade_orchestrator.service.runner.loop import LEASE_WAIT_SECONDS, Backoff
from upgrade_orchestrator.service.runner.spelling import fleet_of

ROUNDS = 2
"After so many time-outs with a problem at every look, a problem of any age counts."


@dataclass(frozen=True, slots=True)
class Well:
    """Every planned instance that is not gone is healthy at the target version."""

    fleet: Fleet
    rows: Sequence[Instance]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Not everything is well, or could be seen: look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ill:
    """The problems that lasted for all of the time-out; the last batch may be open again for a second try."""

    problems: Sequence[str]
    may_be_tried_again: bool


class LastLook:
    """Looks at the fleet again and again; only watched time counts."""

    def __init__(self, ports: Ports, context: Context, client: FleetClient, journal: Journal) -> None:
        self._ports, self._context, self._fleet = ports, context, client
        self.lease = LeaseKeeper(ports, context.deployment)
        self._store = BatchStore(ports, self.lease, context.execution.id, len(context.plan.batches), journal)
        self._absence = Absence(ports, self._store, float(context.plan.health_check_timeout_seconds))
        self._attention = AttentionKeeper(ports, context.execution.id)
        self._timeout = float(context.plan.health_check_timeout_seconds)
        self._backoff = Backoff()
        self._looked_at: float | None = None
        self._ill: dict[str, float] = {}
        "For how many watched seconds each has had a problem."
        self._seconds = 0.0
        self._leaving_seconds = 0.0

    @classmethod
    @asynccontextmanager
    async def of(cls, ports: Ports, context: Context) -> AsyncIterator[Self]:
        """The look at the execution's fleet; a lease that it took is given back at the end.

        :raises FleetError: the fleet's connection is not known.
        """
        async with fleet_of(ports, context.execution, context.deployment) as driver:
            journal = Journal()
            look = cls(ports, context, FleetClient(driver, context.execution.id, journal=journal), journal)
            try:
                yield look
            finally:
                await look.lease.give_back(no_clocks)

    def stop_watching(self) -> None:
        """The execution is paused: the time until the next look does not count."""
        self._looked_at = None

    async def take(self, rows: Sequence[Instance]) -> Well | Unsettled | Ill:
        """Look at ``rows``, as just read, once."""
        fleet = await self._fleet.observe()
        seconds = self._seconds_since_last_look()
        problems = await self._problems(rows, fleet)
        await self._attention.note(self._fleet.take_problem(), self._context.execution.attention)
        self._tell(problems)
        if not problems and fleet is not None:
            return await self._leave(rows, fleet, seconds)
        self._seconds += seconds
        known = self._ill if fleet is None else {}  # of what is not seen now, nothing is known
        self._ill = known | {name: self._ill[name] + seconds if name in self._ill else 0.0 for name in problems}
        lasting = {name: why for name, why in problems.items() if self._ill[name] >= self._timeout}
        if self._seconds >= ROUNDS * self._timeout:  # instances fall ill in turn
            lasting |= {name: why for name, why in problems.items() if fleet and fleet.find(name)}
        return await self._give_up(lasting, fleet) if lasting else Unsettled(self._backoff.gap())

    def _tell(self, problems: Mapping[str, str]) -> None:
        journal = self._store.journal
        if not problems:
            journal.once("look", "well", "look verify -> every instance is well at the target version", again=inf)
            return
        waits = f"look verify -> {len(problems)} not well, looks again for up to {self._timeout:g} s"
        found = named((f"{name} {why}" if name else why for name, why in problems.items()), "; ")
        journal.once("look", frozenset(problems), f"{waits}: {found}", logging.WARNING)

    def _seconds_since_last_look(self) -> float:
        before, self._looked_at = self._looked_at, get_running_loop().time()
        return 0.0 if before is None else min(self._looked_at - before, LONGEST_GAP_SECONDS)

    async def _problems(self, rows: Sequence[Instance], fleet: Fleet | None) -> Mapping[str, str]:
        """What is wrong, by instance; under an empty name if it is not about one."""
        if fleet is None:
            return {"": "the fleet does not answer"}
        present = [each for each in rows if not each.gone]
        if not present:
            return {"": "nothing is left of the plan: all of its instances are gone"}
        if self._context.plan.strategy is Strategy.BLUE_GREEN:
            target = self._context.execution.to_version
            found = checks.pool_verification(target, [each.instance_id for each in rows], fleet)
            return {"": "; ".join(found.blockers)} if found.blockers else {}
        shown = checks.not_well(present, fleet)
        targets = {each.instance_id: each.to_version for each in present}
        return await self._confirmed(shown, targets, fleet) if shown else {}

    async def _confirmed(self, shown: Mapping[str, str], targets: Mapping[str, str], fleet: Fleet) -> dict[str, str]:
        """Those that are not well by their own health either; the list may be older than that."""
        asked = [name for name in shown if fleet.find(name) is not None]
        answers = await self._fleet.poll(asked, CALLS_SECONDS)
        well = {name for name, found in answers.items() if found and found.healthy and found.version == targets[name]}
        well &= {each.instance_id for each in fleet.instances if each.is_up}
        details = {name: f": {answer.detail}" for name, answer in answers.items() if answer and answer.detail}
        return {name: why + details.get(name, "") for name, why in shown.items() if name not in well}

    async def _give_up(self, problems: Mapping[str, str], fleet: Fleet | None) -> Unsettled | Ill:
        """The time-out is over: what is absent is gone, what is ill is FAILED and may get its second try."""
        reported = [f"{name} {why}" if name else why for name, why in problems.items()]
        ill = {name: why for name, why in problems.items() if name and fleet is not None}
        if not ill or fleet is None:
            return Ill([f"{why} (after {self._timeout:g} s)" for why in reported], may_be_tried_again=False)
        if not await self._take_lease():
            return Unsettled(LEASE_WAIT_SECONDS)
        await self._store.read(fresh=True)
        ill = {name: why for name, why in ill.items() if _is_done(self._store.state.rows[name])}
        if absent := [name for name in ill if fleet.find(name) is None]:
            await self._absence.mark_gone(absent)
        if present := {name: why for name, why in ill.items() if name not in absent}:
            await self._fail(present)
        await self.lease.give_back(no_clocks)
        self._ill, self._seconds = {}, 0.0
        rows = self._store.state.rows
        if not present:
            return Unsettled(0.0)
        again = any(rows[name].attempts < MAX_ATTEMPTS for name in present)
        return Ill(reported, may_be_tried_again=again)

    async def _fail(self, ill: Mapping[str, str]) -> None:
        """Set COMPLETED instances that fell ill to FAILED, and open the last batch again for their second try.

        Without effect when the execution's status does not allow this work any more.
        """
        store, state = self._store, self._store.state
        failed = [move(state.rows[name], InstanceStatus.FAILED, state.now, why) for name, why in ill.items()]
        async with self._ports.work() as work:
            execution = await store.lock(work)
            if not store.direction.may_start(execution.status):
                return
            await work.executions.save_batch(execution.id, replace(state.batch, completed_at=None, due_at=None))
            await store.save(work, execution, failed, [])

    async def _leave(self, rows: Sequence[Instance], fleet: Fleet, seconds: float) -> Well | Unsettled:
        """Drain again what others had drained before the upgrade; for at most the time-out."""
        left = to_drain_again(self._context.execution, rows)
        serving = in_service(left, fleet)
        if not serving or self._leaving_seconds >= self._timeout:
            return Well(fleet, rows)
        self._leaving_seconds += seconds
        if not await self._take_lease():
            return Unsettled(LEASE_WAIT_SECONDS)
        token = self.lease.lease.token
        for each in (row for row in left if row.instance_id in serving):
            await self._fleet.give(each, Order.DRAIN, token)
        return Unsettled(self._backoff.gap())

    async def _take_lease(self) -> bool:
        return self.lease.held or await self.lease.take()


def _is_done(row: Instance) -> bool:
    """Whether it still is as this look has found it: another process may look as well, or the rollback has begun."""
    return row.status is InstanceStatus.COMPLETED and not row.gone
