"""The API server that leads the relay is killed (-9) in mid-wave: consumers still see all events in order.

`make soak` kills many at random (campaign `relay`).
"""

from include.upgrades.service.ports import Ports
from tests.integration.kafka.conftest import Tell
from tests.integration.kafka.killing import Candidates, kill_in_mid_wave, kill_leaders
from tests.integration.kafka.reader import Reader
from tests.integration.kafka.servers import airflow_env, servers
from tests.integration.store.conftest import Added

__all__ = ["airflow_env", "servers"]
KILLS = 1


async def test_consumers_see_every_event_in_order_when_the_server_that_leads_is_killed(
    servers: Candidates, added: Added, tell: Tell, reader: Reader, ports: Ports
) -> None:
    toll = await kill_leaders(servers, added, tell, reader, ports, kill_in_mid_wave, KILLS)
    assert toll.again > 0
