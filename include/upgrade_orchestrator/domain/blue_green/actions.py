"""The actions on two pools: small values that the rules return and a runner carries out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet, Health
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.plan.batch import Batch
from upgrade_orchestrator.domain.plan.pools import Pools


@dataclass(frozen=True, slots=True)
class PoolView:
    """The input of a decision: the rows, and the fleet and new pool as just observed.

    ``fleet`` is None when the fleet did not respond. ``soak`` and ``timeout`` are watched seconds.
    """

    execution: Execution
    batch: Batch
    rows: Sequence[Instance]
    pools: Pools
    fleet: Fleet | None
    answers: Mapping[str, Health | None]
    """The health of each polled instance of the new pool; None where it did not respond."""
    soak: float
    timeout: float
    gap: bool = False
    """True if the new pool has not been seen as well for more than three intervals."""

    def unhealthy(self) -> dict[str, str]:
        """The problems of the new pool by instance."""
        findings = {name: _wrong(answer, self.execution.to_version) for name, answer in self.answers.items()}
        return {name: why for name, why in findings.items() if why}

    def unseen(self, fleet: Fleet) -> dict[str, str]:
        """The looks that could not be made: instances that did not respond, or that the list leaves out."""
        silent = {name: "does not answer" for name, answer in self.answers.items() if answer is None}
        return silent | self.missing(fleet)

    def missing(self, fleet: Fleet) -> dict[str, str]:
        """Under the pool's name, how many instances of the new pool the list has; empty if it has all of them."""
        found, wanted = len(fleet.in_pool(self.pools.new)), self.pools.size(fleet, len(self.rows))
        return {} if found >= wanted else {f"pool {self.pools.new}": f"has {found} instances, {wanted} are wanted"}


def _wrong(answer: Health | None, version: str) -> str | None:
    if answer is None or (answer.healthy and answer.version == version):
        return None
    return answer.described()


class PoolCall(StrEnum):
    """The orders on pools."""

    MAKE = "make"
    REMOVE = "remove"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class SendPoolOrder:
    """Send this order; ``on_timeout`` is the action that replaces it when it has had no effect for too long."""

    call: PoolCall
    pool: str
    on_timeout: PoolAction
    version: str = ""
    size: int = 0

    @property
    def key(self) -> str:
        """Identifies the intent: it is the same for every repetition of the order."""
        return f"{self.call.value}.{self.pool}"


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Poll again until ``what`` is over; ``on_timeout`` is the action that replaces this when it takes too long."""

    what: str
    on_timeout: PoolAction

    @property
    def key(self) -> str:
        """The same for all waits: their time is counted together."""
        return "await"


@dataclass(frozen=True, slots=True)
class PollAgain:
    """Healthy so far: poll again within ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SaveBatch:
    """Write the new pool's batch: its phase or its soak clock has changed."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class RecordUnhealthy:
    """Write which instances are unhealthy in the soak (planned ids and their problems); the soak starts again."""

    batch: Batch
    unhealthy: Mapping[str, str]
    too_late: str | None = None
    """Why no time is left for another soak; None if there is."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The action had no effect in time: end this work with ``reason``."""

    phase: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarkRolledBack:
    """Write every touched instance as ROLLED_BACK; ``healthy`` is the health of the old pool's instances now."""

    healthy: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class GoalReached:
    """The goal is reached: nothing is left to do."""


PoolAction = SendPoolOrder | WaitFor | PollAgain | SaveBatch | RecordUnhealthy | GiveUp | MarkRolledBack | GoalReached


@dataclass(frozen=True, slots=True)
class Change:
    """The changes of one action, written in one transaction."""

    execution: Execution
    batch: Batch | None = None
    rows: Sequence[Instance] = ()
    events: Sequence[Event] = ()
