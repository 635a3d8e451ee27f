"""Kafka is away for a minute in every round, stopped or killed at a random moment of ten upgrades."""

from collections.abc import Iterator

from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.outage import Outage, upgrade_during
from tests.integration.kafka.reader import Reader
from tests.integration.store_lab import StoreLab
from tests.integration.world import World
from tests.soak.rounds import Round

AWAY_SECONDS, UPGRADES = 60.0, 10


async def test_upgrades_end_in_time_during_a_kafka_outage_and_all_events_are_published_after_it(
    rounds: Iterator[Round], world: World, demo_agent: RunningAgent, real_kafka: RealKafka, reader: Reader
) -> None:
    for each in rounds:
        with each:
            killed = each.turn([False, True])
            outage = Outage(AWAY_SECONDS, UPGRADES, each.random.uniform(0, 2), killed)
            each.did("killed" if killed else "stopped", outages=1, upgrades=UPGRADES)
            each.did(events=await upgrade_during(outage, StoreLab(world), demo_agent, real_kafka, reader))
