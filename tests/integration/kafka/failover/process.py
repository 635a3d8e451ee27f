"""The relay as a process of its own, to be killed: `python -m tests.integration.kafka.failover.process URL`.

Kafka is the Airflow connection `kafka_events`, the topic `[upgrades] kafka_topic`: from the environment, as always.
"""

import asyncio
import logging
import sys

import upgrade_orchestrator.adapters.kafka.hook  # noqa: F401 - an API server has long loaded what this loads: seconds
from upgrade_orchestrator.adapters.postgres.engine.leader import RELAY, PostgresLeadership
from upgrade_orchestrator.bootstrap import ports_for, relay_loops
from upgrade_orchestrator.service.control.loops import run_control_loops
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.settings import Settings


async def main(url: str) -> None:
    async def open_ports() -> Ports:
        return ports_for(url, Settings())

    async def open_leadership() -> PostgresLeadership:
        return PostgresLeadership(url, RELAY)

    await run_control_loops(open_ports, open_leadership, relay_loops())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1]))
