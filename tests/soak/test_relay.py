"""The API server that leads the relay is killed (-9) at random, again and again: consumers see all events in order."""

from collections.abc import Iterator

from tests.integration.kafka.conftest import Append
from tests.integration.kafka.failover.killing import Candidates, kill_at_random, kill_leaders
from tests.integration.kafka.reader import Reader
from tests.integration.store.conftest import Added
from tests.soak.rounds import Round
from upgrade_orchestrator.service.ports.unit_of_work import Ports

KILLS = 1
"Kills in a round."
ENOUGH = 20
"After this many random kills, one has hit an unfinished wave."


async def test_consumers_see_every_event_in_order_when_leading_servers_are_killed_at_random(
    rounds: Iterator[Round], servers: Candidates, added: Added, append: Append, reader: Reader, ports: Ports
) -> None:
    kills = again = 0
    for each in rounds:
        with each:
            toll = await kill_leaders(servers, added, append, reader, ports, kill_at_random(each.random), KILLS)
            each.did(kills=toll.kills, events=toll.events, repetitions=toll.again)
        kills, again = kills + toll.kills, again + toll.again
    assert again > 0 or kills < ENOUGH, "no kill hit a wave that was under way: this has shown nothing"
