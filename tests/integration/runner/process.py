"""A runner as its own process, to be killed: python -m tests.integration.runner.process URL EXECUTION BATCH LEASE."""

import asyncio
import sys
from dataclasses import replace
from functools import partial

from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork
from upgrade_orchestrator.bootstrap import ports_for
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.runner.context import load_context
from upgrade_orchestrator.settings import Settings


async def main(url: str, execution_id: str, batch: int, lease_seconds: float) -> None:
    ports = ports_for(url, Settings(lease_seconds=lease_seconds, backup_roots="file:///"))
    ports = replace(ports, work=partial(PostgresUnitOfWork, url, lease_seconds))
    await run_batch(ports, await load_context(ports, execution_id), batch, None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
