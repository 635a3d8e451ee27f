"""An outage of Kafka while upgrades run: they are not affected, and everything is published when it is back."""

import asyncio
import itertools
import time
from dataclasses import dataclass, replace

from tests.integration.fleet.running_agent import RunningAgent
from tests.integration.kafka.broker import RealKafka
from tests.integration.kafka.conftest import eventually, read, relaying
from tests.integration.kafka.reader import Reader
from tests.integration.store_lab import StoreLab
from tests.integration.world import COMPONENT, NEW, OLD, TENANT
from tests.labs.lab import OLGA
from tests.labs.seed import OLD_VERSION
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.ports.outbox import RelayState
from upgrade_orchestrator.service.upgrade.create import create_upgrade
from upgrade_orchestrator.service.upgrade.start import start_upgrade
from upgrade_orchestrator.service.views.health import relay_health

INSTANCES = 6
DELAY_SECONDS = 4
"Three batches with a delay between them: Kafka goes away in the first delay."
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Outage:
    """Stop Kafka, in an orderly way or by a kill, some seconds after the upgrades' first batch, for the given time."""

    away_seconds: float
    upgrades: int
    after_seconds: float = 0.0
    killed: bool = False

    async def begin(self, kafka: RealKafka) -> None:
        await asyncio.sleep(self.after_seconds)
        await asyncio.to_thread(kafka.kill if self.killed else kafka.stop)


async def upgrade_during(outage: Outage, lab: StoreLab, agent: RunningAgent, kafka: RealKafka, reader: Reader) -> int:
    """How many events the upgrades have written."""
    async with relaying(lab.world.url):
        fleets = [f"outage{next(_numbers)}" for _ in range(outage.upgrades)]
        ids = [await _begun(lab, agent, each) for each in fleets]
        running = [asyncio.create_task(lab.upgrade(each)) for each in ids]
        await read(reader, lambda: _has_batch(reader, ids))
        await outage.begin(kafka)
        away = time.monotonic()
        ended = await asyncio.gather(*running)  # before Kafka is back: an upgrade that waited for Kafka would never end
        assert [each.status for each in ended] == [ExecutionStatus.COMPLETED] * outage.upgrades
        await _check_waiting(lab, outage.upgrades)
        await asyncio.sleep(max(0.0, away + outage.away_seconds - time.monotonic()))
        await asyncio.to_thread(kafka.start)
        expected = await _last_sequences(lab, ids)
        await read(reader, lambda: len(reader.ids(ids)) == sum(expected.values()))
        await eventually(lambda: _is(lab, RelayState.RUNNING))
        await eventually(lambda: _is_published(lab))
    assert reader.sequences(ids) == {each: list(range(1, expected[each] + 1)) for each in ids}
    for each in fleets:
        agent.admin.delete(each)
    return sum(expected.values())


async def _begun(lab: StoreLab, agent: RunningAgent, fleet: str) -> str:
    """Create an upgrade of a tenant and fleet of its own and admit it; returns its id."""
    tenant = f"tenant-of-{fleet}"
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


def _has_batch(reader: Reader, ids: list[str]) -> bool:
    own = (each for each in reader.records if each.execution in ids)
    return any(each.event.get_type().endswith("batch-completed.v1") for each in own)


async def _check_waiting(lab: StoreLab, more_than: int) -> None:
    """The relay's health says that it waits, and how far it is behind."""
    await eventually(lambda: _is(lab, RelayState.WAITING))
    health = await relay_health(lab.world.ports)
    assert health.lag.rows > more_than
    assert health.lag.seconds > 0


async def _last_sequences(lab: StoreLab, ids: list[str]) -> dict[str, int]:
    """The last sequence of each execution."""
    return {each: (await lab.events(each))[-1].sequence for each in ids}


async def _is(lab: StoreLab, state: RelayState) -> bool:
    return (await relay_health(lab.world.ports)).state is state


async def _is_published(lab: StoreLab) -> bool:
    return (await lab.world.ports.outbox.lag()).rows == 0
