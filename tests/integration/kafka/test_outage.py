"""Kafka away: upgrades go on as if nothing were, and everything is published when it is back.

`make soak` keeps it away for a minute (campaign `outage`).
"""

import asyncio

from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.conftest import Tell, read, relaying
from tests.integration.kafka.outage import Outage, upgrade_during
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from tests.integration.store_lab import StoreLab
from tests.integration.world import World

AWAY_SECONDS = 3.0


async def test_upgrades_end_in_time_while_kafka_is_away_and_all_is_published_when_it_is_back(
    world: World, demo_agent: RunningAgent, real_kafka: RealKafka, reader: Reader
) -> None:
    await upgrade_during(Outage(AWAY_SECONDS), StoreLab(world), demo_agent, real_kafka, reader)


async def test_relay_waits_for_a_kafka_that_is_killed_and_goes_on_in_order(
    real_kafka: RealKafka, topic: str, added: Added, tell: Tell, reader: Reader, postgres_url: str
) -> None:
    execution = await added()
    async with relaying(postgres_url):
        await tell(execution, *"abc")
        await read(reader, lambda: len(reader.records) == 3)
        real_kafka.kill()
        await tell(execution, *"def")
        await asyncio.to_thread(real_kafka.start)
        await tell(execution, *"ghi")
        await read(reader, lambda: len({e.event.get_id() for e in reader.records}) == 9)
    assert reader.sequences() == {execution.id: list(range(1, 10))}
