"""Use case: run a batch (section 4). Observe first, then act; whoever runs it, however often, after any crash."""

from __future__ import annotations

import logging

from include.upgrades.domain.batch import BatchDone, Decision, NoBudgetLeft, StartInstances, Stop, Wait
from include.upgrades.domain.errors import LostLease
from include.upgrades.service.batch_journal import BatchJournal
from include.upgrades.service.batch_round import BatchRound, Rules
from include.upgrades.service.fleet_work import FleetWork
from include.upgrades.service.lease_keeper import LeaseKeeper
from include.upgrades.service.outcome import SLOW_POLL_SECONDS, Ending, Outcome
from include.upgrades.service.ports import Ports, Waiter
from include.upgrades.service.pulse import now_seconds

log = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 1.0
"How often it is asked whether another holder is done."
LEASE_WORTH_KEEPING_SECONDS = 2.0
"A longer wait with nothing in flight gives the lease back."


async def run_batch(ports: Ports, execution_id: str, number: int, seconds: float | None) -> Outcome:
    """Work on batch ``number`` (ROLLBACK_BATCH: the way back) for about ``seconds``, None: until its end.

    :raises NotFound: no such execution; :raises StaleToken: the fleet obeys somebody newer.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        plan = await work.executions.plan(execution_id)
        deployment = await work.registry.deployment(execution.tenant_id, execution.request.component_id)
    assert deployment is not None  # a deployment is never deleted
    keeper = LeaseKeeper(ports, execution.tenant_id, execution.request.component_id)
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(deployment) as driver:
        journal = BatchJournal(ports, keeper, execution_id, number)
        rules = Rules.of(plan, number, execution.request.health_check_interval_seconds)
        work_round = BatchRound(rules, journal, FleetWork(driver, execution_id), keeper)
        try:
            return await BatchRunner(journal, work_round, keeper, waiter).run(seconds)
        finally:
            await keeper.give_back()


class BatchRunner:
    """Repeats: look at the rows, look at the fleet, move what has come further, begin what may begin, wait."""

    def __init__(self, journal: BatchJournal, work_round: BatchRound, keeper: LeaseKeeper, waiter: Waiter) -> None:
        self._journal, self._round, self._keeper, self._waiter = journal, work_round, keeper, waiter
        self._fresh = True

    async def run(self, seconds: float | None) -> Outcome:
        """Tick until the batch ends or the time is over; a lost lease is taken again, from the rows as they are."""
        end = None if seconds is None else now_seconds() + seconds
        while True:
            try:
                found = await self._tick()
            except LostLease as error:
                log.warning("%s", error)
                self._keeper.forget()
                found = LEASE_WAIT_SECONDS
            if isinstance(found, Outcome):
                return found
            if end is not None and now_seconds() + found > end:
                return Outcome(Ending.UNFINISHED)
            await self._waiter.wait(found)

    async def _tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        await self._keeper.renew_if_due()
        await self._journal.read(fresh=self._fresh or not self._keeper.held)
        self._fresh = not self._keeper.held  # what another holder wrote before our lease began must be read
        if self._keeper.held:
            decision = await self._round.work()
        elif self._round.only_waits():
            decision = self._round.decide(frozenset())
        else:
            return 0.0 if await self._keeper.take() else LEASE_WAIT_SECONDS
        return self._round.next_look() if decision is None else await self._conclude(decision)

    async def _conclude(self, decision: Decision) -> Outcome | float:
        match decision:
            case StartInstances(ids):
                await self._round.start(ids)
                return 0.0
            case Wait(until, blocked):
                if blocked:
                    await self._journal.note_blocked()
                return await self._wait_for(None if until is None else (until - self._journal.now).total_seconds())
            case NoBudgetLeft(reason):
                await self._journal.fail(reason)
                return 0.0
            case Stop(reason):
                return Outcome(Ending.STOPPED, reason)
            case BatchDone():
                return Outcome(Ending.DONE) if await self._journal.finish_batch() else 0.0

    async def _wait_for(self, seconds: float | None) -> float:
        """The lease is not kept through a wait in which there is nothing to do."""
        if any(each.in_flight for each in self._journal.jobs()):
            look = self._round.next_look()
            return look if seconds is None else max(0.0, min(seconds, look))
        if seconds is None or seconds > LEASE_WORTH_KEEPING_SECONDS:
            await self._keeper.give_back()
        return SLOW_POLL_SECONDS if seconds is None else max(0.0, min(seconds, SLOW_POLL_SECONDS))
