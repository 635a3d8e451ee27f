"""Kafka is killed: upgrades are not affected, and everything is published in order when it is back.

`make soak` also stops it in an orderly way, and keeps it away for a minute (campaign `outage`).
"""

from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.outage import Outage, upgrade_during
from tests.integration.kafka.reader import Reader
from tests.integration.store_lab import StoreLab
from tests.integration.world import World

DEATH = Outage(away_seconds=3.0, upgrades=4, killed=True)


async def test_upgrades_end_in_time_during_a_kafka_outage_and_all_events_are_published_after_it(
    world: World, demo_agent: RunningAgent, real_kafka: RealKafka, reader: Reader
) -> None:
    await upgrade_during(DEATH, StoreLab(world), demo_agent, real_kafka, reader)
