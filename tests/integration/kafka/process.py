"""The relay as a process of its own, to be killed: `python -m tests.integration.kafka.process URL`.

Kafka is the Airflow connection `kafka_events`, the topic UPGRADES_KAFKA_TOPIC: from the environment, as always.
"""

import asyncio
import logging
import sys

import include.upgrades.adapters.kafka.hook  # noqa: F401 - an API server has long loaded what this loads: seconds
from include.upgrades.adapters.postgres.leader import RELAY, PostgresLeadership
from include.upgrades.bootstrap import ports_for, relay_loops
from include.upgrades.service.control_loops import run_control_loops
from include.upgrades.service.ports import Ports
from include.upgrades.settings import Settings


async def main(url: str) -> None:
    async def open_ports() -> Ports:
        return ports_for(url, Settings())

    async def open_leadership() -> PostgresLeadership:
        return PostgresLeadership(url, RELAY)

    await run_control_loops(open_ports, open_leadership, relay_loops())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1]))
