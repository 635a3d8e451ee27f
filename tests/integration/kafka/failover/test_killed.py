"""The process that leads the relay is killed (-9) within a wave: no event is lost, and none overtakes another."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.supervisor.processes import Command
from tests.integration.kafka.broker import ROOT
from tests.integration.kafka.conftest import Append
from tests.integration.kafka.failover.killing import Candidates, kill_in_mid_wave, kill_leaders
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from upgrade_orchestrator.service.ports.unit_of_work import Ports

KILLS = 2


@pytest.fixture
def relays(postgres_url: str, topic: str, tmp_path: Path) -> Iterator[Candidates]:
    argv = [sys.executable, "-m", "tests.integration.kafka.failover.process", postgres_url]
    made = Candidates(
        postgres_url, tmp_path, [Command(name, argv, dict(os.environ), ROOT) for name in ("relay-a", "relay-b")]
    )
    made.start()
    yield made
    made.end()


async def test_killed_relay_loses_and_reorders_no_event(
    relays: Candidates, added: Added, append: Append, reader: Reader, ports: Ports
) -> None:
    toll = await kill_leaders(relays, added, append, reader, ports, kill_in_mid_wave, KILLS)
    assert toll.again > 0
