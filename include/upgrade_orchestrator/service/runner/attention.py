"""Notes what keeps an execution from going on, and that it is over (specification section 6, ``attention``)."""

from __future__ import annotations

from asyncio import get_running_loop

from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.service.ports.fleet import FleetError
from upgrade_orchestrator.service.ports.unit_of_work import Ports

TRIES = 2
"A problem that is met once is not worth a person's attention; from the second time in a row it is noted."
UPDATE_SECONDS = 30.0
"How often the number of tries is written again while the same problem lasts."


class AttentionKeeper:
    """The attention of one execution, for one runner; it writes only when there is something new to say."""

    def __init__(self, ports: Ports, execution_id: str) -> None:
        self._ports, self._id = ports, execution_id
        self._noted: Attention | None = None
        self._tries = 0
        self._written_at = 0.0

    async def note(self, problem: FleetError | None, noted: Attention | None) -> None:
        """What the last round met; None: it met no problem. ``noted`` is what the execution's row says."""
        self._noted = self._noted or noted
        if problem is None:
            await self.well()
        else:
            await self.failed(problem.code, str(problem))

    async def failed(self, code: str, message: str) -> None:
        """The problem was met once more."""
        self._tries += 1
        if self._tries < TRIES or not self._is_news(code, message):
            return
        async with self._ports.work() as work:
            same = self._noted is not None and self._noted.code == code
            since = self._noted.since if same and self._noted else await work.now()
            self._noted = Attention(code, since, message, self._tries)
            await work.executions.note_attention(self._id, self._noted)
            await work.commit()
        self._written_at = get_running_loop().time()

    async def stuck(self, problem: FleetError, noted: Attention | None) -> None:
        """The work could not begin at all, for example without the fleet's connection: noted at the first time."""
        self._noted, self._tries = noted, TRIES - 1
        await self.failed(problem.code, str(problem))

    def _is_news(self, code: str, message: str) -> bool:
        if self._noted is None or (self._noted.code, self._noted.message) != (code, message):
            return True
        return get_running_loop().time() - self._written_at > UPDATE_SECONDS

    async def well(self) -> None:
        """There is no problem now."""
        self._tries = 0
        if self._noted is None:
            return
        self._noted = None
        async with self._ports.work() as work:
            await work.executions.note_attention(self._id, None)
            await work.commit()
