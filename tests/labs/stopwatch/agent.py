"""A demo agent behind a connection that a test breaks while an upgrade runs: what the product's own driver meets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.labs.fleet.wire import Wire
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import CALL_SECONDS, AgentResponse
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, NotOfProtocol, Unreachable, WrongConnection

Ask = Callable[[], Awaitable[AgentResponse]]
Break = Callable[[str, Ask], Awaitable[AgentResponse]]
"""Answers a call of this method instead of the agent, which it may ask."""


@dataclass
class BrokenClient:
    """What ``AgentDriver`` calls; ``broken`` answers from the moment at which it is set."""

    wire: Wire
    broken: Break | None = None
    defined: bool = True
    "Whether the fleet's Airflow connection exists."

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """The agent's answer, or what the fault makes of it.

        :raises FleetError: as the fault says.
        """

        async def ask() -> AgentResponse:
            return await self.wire.request(method, path, headers=headers, json=json)

        return await (ask() if self.broken is None else self.broken(method, ask))


@dataclass
class BrokenFleets:
    """Port ``Fleets``: the product's own driver with that connection."""

    client: BrokenClient

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """The driver.

        :raises WrongConnection: the connection was deleted.
        """
        if not self.client.defined:
            raise WrongConnection("the connection is not defined")
        yield AgentDriver(self.client, deployment.fleet)


async def refuses_connections(method: str, ask: Ask) -> AgentResponse:
    """Nothing listens.

    :raises Unreachable: always.
    """
    raise Unreachable("the agent does not answer (ClientConnectorError)")


async def hangs(method: str, ask: Ask) -> AgentResponse:
    """The client gives up after its ten seconds; nothing is carried out.

    :raises Unreachable: always.
    """
    await asyncio.sleep(CALL_SECONDS)
    raise Unreachable("the agent does not answer (TimeoutError)", in_doubt=method != "GET")


async def hangs_on_orders(method: str, ask: Ask) -> AgentResponse:
    """Looks are answered.

    :raises Unreachable: for every order.
    """
    return await (ask() if method == "GET" else hangs(method, ask))


async def is_slow(method: str, ask: Ask) -> AgentResponse:
    """Every answer comes a second before the client would give up."""
    await asyncio.sleep(CALL_SECONDS - 1)
    return await ask()


async def only_says_yes(method: str, ask: Ask) -> AgentResponse:
    """Orders are accepted and not carried out."""
    return await ask() if method == "GET" else AgentResponse(202, b"{}")


async def answers_hugely(method: str, ask: Ask) -> AgentResponse:
    """As the client treats an answer that is too large.

    :raises NotOfProtocol: always.
    """
    raise NotOfProtocol("the answer is larger than 16 MiB", in_doubt=method != "GET")


def answers(status: int) -> Break:
    """This status to everything."""

    async def answer(method: str, ask: Ask) -> AgentResponse:
        return AgentResponse(status, b"")

    return answer


async def sends_traffic_elsewhere(method: str, ask: Ask) -> AgentResponse:
    """The list says that a pool which is not the upgrade's has the traffic."""
    answer = await ask()
    said = json.loads(answer.content)
    if "traffic" not in said:
        return answer
    return AgentResponse(answer.status, json.dumps({**said, "traffic": "violet"}).encode())
