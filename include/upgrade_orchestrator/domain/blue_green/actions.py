"""What can be done with two pools: small values, made by the rules and carried out by a runner."""

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
    """All that a decision reads: the rows, and what fleet and new pool have just said (``fleet`` None: nothing).

    ``soak`` and ``timeout`` are watched seconds.
    """

    execution: Execution
    batch: Batch
    rows: Sequence[Instance]
    pools: Pools
    fleet: Fleet | None
    answers: Mapping[str, Health | None]
    """What each instance of the new pool answered; None where it could not be asked."""
    soak: float
    timeout: float

    def unhealthy(self, fleet: Fleet) -> dict[str, str]:
        """What is wrong with the new pool, by instance (by pool where instances are missing)."""
        found, wanted = fleet.in_pool(self.pools.new), self.pools.size(fleet, len(self.rows))
        findings = {name: _wrong(answer, self.execution.to_version) for name, answer in self.answers.items()}
        wrong = {name: why for name, why in findings.items() if why}
        if len(found) < wanted:
            wrong[f"pool {self.pools.new}"] = f"has {len(found)} instances, {wanted} are wanted"
        return wrong

    def unreachable(self) -> list[str]:
        """Instances of the new pool that could not be asked."""
        return [name for name, answer in self.answers.items() if answer is None]


def _wrong(answer: Health | None, version: str) -> str | None:
    if answer is None or (answer.healthy and answer.version == version):
        return None
    return answer.detail or f"reports version {answer.version}, healthy: {answer.healthy}"


class PoolCall(StrEnum):
    """What the fleet may be asked to do with a pool."""

    MAKE = "make"
    REMOVE = "remove"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class SendPoolOrder:
    """Send this order; ``on_timeout``: what to do when it has no effect for too long."""

    call: PoolCall
    pool: str
    on_timeout: PoolAction
    version: str = ""
    size: int = 0

    @property
    def key(self) -> str:
        """The same for every repetition of this intent."""
        return f"{self.call.value}.{self.pool}"


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Look again until ``what`` is over; ``on_timeout``: what to do when that takes too long."""

    what: str
    on_timeout: PoolAction

    @property
    def key(self) -> str:
        """One wait is as good as another."""
        return "await"


@dataclass(frozen=True, slots=True)
class PollAgain:
    """All is well; look again within so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SaveBatch:
    """Write what was seen: the new pool's batch with its new time."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class RecordUnhealthy:
    """Write that instances (planned ids, with what is wrong) are ill in the soak, which starts again."""

    batch: Batch
    unhealthy: Mapping[str, str]
    too_late: str | None = None
    """Why there is no time left for that, else None."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It cannot be brought about: end this work, saying why."""

    phase: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarkRolledBack:
    """Write that every touched instance serves as it did before."""

    healthy: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class GoalReached:
    """Nothing is left to do."""


PoolAction = SendPoolOrder | WaitFor | PollAgain | SaveBatch | RecordUnhealthy | GiveUp | MarkRolledBack | GoalReached


@dataclass(frozen=True, slots=True)
class Change:
    """What a step writes, in one transaction."""

    execution: Execution
    batch: Batch | None = None
    rows: Sequence[Instance] = ()
    events: Sequence[Event] = ()
