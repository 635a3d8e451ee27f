"""An agent that obeys as the demo agent does, and says what chance says: half an answer, another one, late, twice."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.labs.fleet.wire import Wire
from upgrade_orchestrator.adapters.fleet.agent import AgentDriver
from upgrade_orchestrator.adapters.fleet.client import CALL_SECONDS, AgentResponse
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.service.ports.fleet import FleetDriver, Unreachable

PLAUSIBLE = ("RUNNING", "DRAINING", "DRAINED", "UPGRADING", "STOPPED", "3.6.0", "v3.7.0", "3.7.0", "green", "blue")
STATUSES = (200, 202, 401, 404, 409, 429, 500, 503)
DEAD = 2.0
LATEST_SECONDS = 40.0
"How late an order may arrive whose caller has given up."


@dataclass(frozen=True)
class Mood:
    """For ``seconds`` (virtual) the agent misbehaves in ``badness`` of its answers, from 0 to 1; DEAD: it is silent."""

    seconds: float
    badness: float


@dataclass
class FuzzedClient:
    """What ``AgentDriver`` calls; ``judge`` is asked about every order before it is passed on."""

    wire: Wire
    random: Random
    moods: Sequence[Mood]
    pool: Sequence[Any]
    judge: Callable[[str, str, Mapping[str, str], Any], None]
    stale: bool = False
    "Whether it may refuse tokens as stale."
    begins_at: float = 0.0
    "The loop's time at which the first mood begins; before that, all is well."
    _late: set[asyncio.Task[Any]] = field(default_factory=set)

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> AgentResponse:
        """The agent's answer, or what chance makes of it.

        :raises Unreachable: there is none in time.
        """
        if method != "GET":
            self.judge(method, path, headers or {}, json)
        badness = self._badness()
        if badness == DEAD:
            return await self._silent()
        if self.random.random() >= badness:
            return await self.wire.request(method, path, headers=headers, json=json)
        fates = [self._changed, self._changed, self._half, self._garbage, self._lost, self._silent, self._late_answer]
        return await self.random.choice([*fates, self._twice, self._status])(method, path, headers, json)

    def _badness(self) -> float:
        at = asyncio.get_running_loop().time() - self.begins_at
        if at < 0:
            return 0.0
        for each in self.moods:
            at -= each.seconds
            if at < 0:
                return each.badness
        return self.moods[-1].badness

    async def _ask(self, method: str, path: str, headers: Any, body: Any) -> AgentResponse:
        return await self.wire.request(method, path, headers=headers, json=body)

    async def _changed(self, *call: Any) -> AgentResponse:
        answer = await self._ask(*call)
        try:
            said = json.loads(answer.content)
        except ValueError:
            return answer
        return AgentResponse(answer.status, json.dumps(self._change(copy.deepcopy(said))).encode())

    def _change(self, said: Any) -> Any:
        """The answer with one of its values replaced, left out or repeated."""
        if isinstance(said, dict) and said and self.random.random() < 0.9:
            key = self.random.choice(sorted(said))
            if self.random.random() < 0.15:
                del said[key]
            else:
                said[key] = self._change(said[key])
            return said
        if isinstance(said, list) and said and self.random.random() < 0.9:
            index = self.random.randrange(len(said))
            match self.random.randrange(5):
                case 0:
                    del said[index]
                case 1:
                    said.append(copy.deepcopy(said[index]))
                case 2:
                    said.clear()
                case _:
                    said[index] = self._change(said[index])
            return said
        if isinstance(said, bool):
            return not said
        return self.random.choice([*self.pool, *PLAUSIBLE])

    async def _half(self, *call: Any) -> AgentResponse:
        answer = await self._ask(*call)
        return AgentResponse(answer.status, answer.content[: self.random.randint(0, len(answer.content))])

    async def _garbage(self, *_: Any) -> AgentResponse:
        content = json.dumps(self.random.choice([*self.pool, {}, []])).encode()
        return AgentResponse(self.random.choice(STATUSES), content)

    async def _status(self, *_: Any) -> AgentResponse:
        statuses = [*STATUSES, 412] if self.stale else STATUSES
        return AgentResponse(self.random.choice(statuses), b"")

    async def _twice(self, *call: Any) -> AgentResponse:
        await self._ask(*call)
        return await self._ask(*call)

    async def _lost(self, *call: Any) -> AgentResponse:
        await self._ask(*call)
        raise Unreachable("the connection was reset", in_doubt=True)

    async def _silent(self, *_: Any) -> AgentResponse:
        await asyncio.sleep(self.random.choice([0.0, CALL_SECONDS]))
        raise Unreachable("the agent does not answer", in_doubt=self.random.random() < 0.5)

    async def _late_answer(self, *call: Any) -> AgentResponse:
        """An order arrives after its caller has given up; a look that took longer is an answer still."""
        if call[0] == "GET":
            await asyncio.sleep(self.random.uniform(0, CALL_SECONDS))
            return await self._ask(*call)
        task = asyncio.create_task(self._arrive(self.random.uniform(0, LATEST_SECONDS), *call))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await asyncio.sleep(CALL_SECONDS)
        raise Unreachable("the agent does not answer (TimeoutError)", in_doubt=True)

    async def _arrive(self, seconds: float, *call: Any) -> None:
        await asyncio.sleep(seconds)
        await self._ask(*call)

    async def arrived(self) -> None:
        """Wait until everything that is late has arrived."""
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)


@dataclass
class FuzzedFleets:
    """Port ``Fleets``: the product's own driver with that connection."""

    client: FuzzedClient

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        """The driver."""
        yield AgentDriver(self.client, deployment.fleet)
