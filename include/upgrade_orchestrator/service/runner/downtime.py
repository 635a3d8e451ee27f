"""Whoever takes over after a time in which nobody worked pushes out the clocks of what is under way by it."""

from __future__ import annotations

import logging
from datetime import timedelta

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.plan.direction import ROLLBACK_BATCH
from upgrade_orchestrator.domain.plan.downtime import excuse, excuse_batch
from upgrade_orchestrator.service.ports.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

HAND_OVER, WORTH_TELLING = timedelta(seconds=5), timedelta(seconds=60)
"So long nobody holds the lease when a worker hands over to the triggerer; and what is told of, since it is longer."


async def excuse_in(work: UnitOfWork, execution: Execution, by: timedelta) -> None:
    """Push them out ``by`` so much; part of the transaction in which the lease is taken, so that it is done once.

    Not by a hand-over; what has begun in the future, since the database's clock was set back, begins now all the same.
    """
    by = by if by > HAND_OVER else timedelta()
    now, soak = await work.now(), timedelta(seconds=execution.request.soak_seconds)
    rows = await work.executions.instances(execution.id)
    excused = [after for each in rows if (after := excuse(each, by, now)) != each]
    if excused:
        await work.executions.save_instances(execution.id, excused)
    for batch in await work.executions.batches(execution.id, ROLLBACK_BATCH):
        if (pushed := excuse_batch(batch, soak, by, now)) != batch:
            await work.executions.save_batch(execution.id, pushed)
    if excused and by > WORTH_TELLING:
        log.warning("execution %s: nobody looked for %g s, the time-outs wait", execution.id, by.total_seconds())
