"""The relay as a process of its own: `python -m bench.relaying URL`; Kafka is the connection `kafka_events`."""

import asyncio
import sys

import include.upgrades.adapters.kafka.hook  # noqa: F401 - an API server has long loaded what this loads
from include.upgrades.adapters.postgres.leader import RELAY, PostgresLeadership
from include.upgrades.bootstrap import ports_for, relay_loops
from include.upgrades.service.control_loops import run_control_loops
from include.upgrades.service.ports import Ports
from include.upgrades.settings import Settings


async def main(url: str) -> None:
    """Until it is killed."""

    async def open_ports() -> Ports:
        return ports_for(url, Settings())

    async def open_leadership() -> PostgresLeadership:
        return PostgresLeadership(url, RELAY)

    await run_control_loops(open_ports, open_leadership, relay_loops())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
