"""Use case: run a batch (section 4). Observe first, then act; whoever runs it, however often, after any crash."""

from __future__ import annotations

from upgrade_orchestrator.domain.plan.batch import BatchDone, Decision, NoBudgetLeft, StartInstances, Stop, Wait
from upgrade_orchestrator.domain.plan.rules import Rules
from upgrade_orchestrator.service.ports.signals import Waiter
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.rollout.batch_store import BatchJournal
from upgrade_orchestrator.service.rollout.green_driver import green_pool
from upgrade_orchestrator.service.rollout.round import BatchRound
from upgrade_orchestrator.service.runner.backoff import now_seconds
from upgrade_orchestrator.service.runner.context import Context
from upgrade_orchestrator.service.runner.fencing import Fence
from upgrade_orchestrator.service.runner.fleet_client import FleetWork
from upgrade_orchestrator.service.runner.lease import LeaseKeeper
from upgrade_orchestrator.service.runner.loop import LEASE_WAIT_SECONDS, LEASE_WORTH_KEEPING_SECONDS, repeat
from upgrade_orchestrator.service.runner.outcome import SLOW_POLL_SECONDS, Ending, Outcome


async def run_batch(
    ports: Ports, context: Context, number: int, seconds: float | None, last: int | None = None
) -> Outcome:
    """Work on batch ``number`` (ROLLBACK_BATCH: the way back) for about ``seconds``, None: until its end.

    ``last``: then on those that follow it, up to this one, each when it is due, with the lease in hand.

    :raises StaleToken: the fleet obeys a newer holder of the lease.
    """
    execution, plan, execution_id = context.execution, context.plan, context.execution.id
    keeper, end = LeaseKeeper(ports, execution), None if seconds is None else now_seconds() + seconds
    async with ports.signals.of(execution_id) as waiter, ports.fleets.of(context.deployment) as driver:
        fleet, fence = FleetWork(green_pool(driver, plan, execution), execution_id), Fence(driver, execution_id, keeper)
        try:
            for each in range(number, (last or number) + 1):
                journal = BatchJournal(ports, keeper, execution_id, each)
                rules = Rules.of(plan, each, execution.request.health_check_interval_seconds)
                runner = BatchRunner(journal, BatchRound(rules, journal, fleet, keeper), keeper, fence, waiter)
                outcome = await runner.run(None if end is None else max(0.0, end - now_seconds()))
                if outcome.ending is not Ending.DONE:
                    break
            return outcome
        finally:
            await keeper.give_back()


class BatchRunner:
    """Repeats: look at the rows, look at the fleet, move what has come further, begin what may begin, wait."""

    def __init__(
        self, journal: BatchJournal, work_round: BatchRound, keeper: LeaseKeeper, fence: Fence, waiter: Waiter
    ) -> None:
        self._journal, self._round, self._keeper, self._waiter = journal, work_round, keeper, waiter
        self._fence = fence
        self._fresh = True

    async def run(self, seconds: float | None) -> Outcome:
        """Tick until the batch ends or the time is over."""
        return await repeat(self._tick, self._keeper, self._waiter, seconds)

    async def _tick(self) -> Outcome | float:
        """One round; the outcome, or the seconds until the next round."""
        await self._keeper.renew_if_due()
        await self._journal.read(fresh=self._fresh or not self._keeper.held)
        self._fresh = not self._keeper.held  # what another holder wrote before our lease began must be read
        self._keeper.notice(self._journal.now)
        if self._keeper.held:
            await self._fence.close(self._journal.worked_on())
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
