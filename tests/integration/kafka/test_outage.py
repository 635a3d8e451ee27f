"""Kafka away: upgrades go on as if nothing were, and everything is published when it is back."""

import asyncio
import time
from dataclasses import replace

import pytest

from include.upgrades.domain.execution import UpgradeRequest
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.create import create_upgrade
from include.upgrades.service.health import relay_health
from include.upgrades.service.relay_ports import RelayState
from include.upgrades.service.start import start_upgrade
from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.conftest import Tell, eventually, read, relaying
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from tests.integration.store_lab import StoreLab
from tests.integration.world import COMPONENT, NEW, OLD, TENANT, World
from tests.labs.lab import OLGA
from tests.labs.seed import OLD_VERSION

UPGRADES, INSTANCES, AWAY_SECONDS = 10, 6, 60
DELAY_SECONDS, IN_TIME_SECONDS = 4, 30
"Three batches with two delays between them: 8 s and the work."


async def _begun(lab: StoreLab, agent: RunningAgent, number: int) -> str:
    """An upgrade of a tenant and a fleet of its own, admitted; its id."""
    tenant, fleet = f"tenant-{number}", f"outage{number}"
    agent.admin.create(fleet, INSTANCES, OLD_VERSION, upgrade_seconds=0.05)
    async with lab.world.ports.work() as work:
        known = await work.registry.deployment(TENANT, COMPONENT)
        assert known is not None
        await work.registry.put(replace(known, tenant_id=tenant, fleet=fleet))
        await work.commit()
    what = {"component_id": COMPONENT, "from_version_id": OLD, "to_version_id": NEW, "max_unavailable_percentage": 50}
    pace = {"batch_size": 2, "batch_delay_seconds": DELAY_SECONDS, "health_check_interval_seconds": 1}
    request = UpgradeRequest(**(what | pace))  # type: ignore[arg-type]
    execution = await create_upgrade(lab.world.ports, tenant, request, OLGA)
    await start_upgrade(lab.world.ports, execution.id, OLGA)
    await lab.go(execution.id, ExecutionStatus.IN_PROGRESS)
    return execution.id


@pytest.fixture
async def lab(world: World) -> StoreLab:
    return StoreLab(world)


@pytest.mark.slow
async def test_upgrades_end_in_time_while_kafka_is_away_and_all_is_published_when_it_is_back(
    lab: StoreLab, demo_agent: RunningAgent, real_kafka: RealKafka, reader: Reader, topic: str
) -> None:
    async with relaying(lab.world.url):
        ids = [await _begun(lab, demo_agent, each) for each in range(UPGRADES)]
        running = [asyncio.create_task(lab.upgrade(each)) for each in ids]
        began = time.monotonic()
        await read(reader, lambda: any(e.event.get_type().endswith("batch-completed.v1") for e in reader.records))
        await asyncio.to_thread(real_kafka.stop)
        away = time.monotonic()
        ended = await asyncio.gather(*running)
        took = time.monotonic() - began
        assert [each.status for each in ended] == [ExecutionStatus.COMPLETED] * UPGRADES
        assert took < IN_TIME_SECONDS
        await eventually(lambda: _is(lab, RelayState.WAITING))
        health = await relay_health(lab.world.ports)
        assert health.lag.rows > UPGRADES
        assert health.lag.seconds > 0
        await asyncio.sleep(max(0.0, away + AWAY_SECONDS - time.monotonic()))
        await asyncio.to_thread(real_kafka.start)
        with lab.world.connect() as connection:
            expected = dict(connection.execute("SELECT id, last_sequence FROM execution").fetchall())
        await read(reader, lambda: len({e.event.get_id() for e in reader.records}) == sum(expected.values()))
        await eventually(lambda: _is(lab, RelayState.RUNNING))
        await eventually(lambda: _is_published(lab))
    assert reader.sequences() == {each: list(range(1, expected[each] + 1)) for each in ids}
    for number in range(UPGRADES):
        demo_agent.admin.delete(f"outage{number}")


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


async def _is(lab: StoreLab, state: RelayState) -> bool:
    return (await relay_health(lab.world.ports)).state is state


async def _is_published(lab: StoreLab) -> bool:
    return (await lab.world.ports.outbox.lag()).rows == 0
