"""Faults that can be switched on at run time, for one instance or for the whole fleet."""

import asyncio
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from local.fleet.instance.server import FLAPS, UNHEALTHY
from local.fleet.refusal import Refusal
from local.fleet.settings import Body

_FLAP_SECONDS = 0.5


class Kind(StrEnum):
    """The kind of fault; the comment behind each says what `times` counts."""

    UPGRADE_FAILS = "upgrade-fails"  # upgrades: STOPPED and unhealthy afterwards
    COMES_UP_UNHEALTHY = "comes-up-unhealthy"  # upgrades: RUNNING at the new version, health 503
    SLOW = "slow"  # upgrades: each takes `seconds` more
    UNHEALTHY = "unhealthy"  # unhealthy answers: the process answers 503 from now on
    FLAPS = "flaps"  # unhealthy answers: unhealthy and healthy in turn, `seconds` each
    AGENT_503 = "agent-503"  # calls: the agent answers 503
    AGENT_HANGS = "agent-hangs"  # calls: the agent answers after `seconds`, or once cleared
    ABSENT = "absent"  # lists: the instance is left out, for the fleet every one that is not RUNNING
    EMPTY_LIST = "empty-list"  # lists: without instances, as of an agent that is starting
    SPELLING = "spelling"  # answers: the version is spelled as `variant` says
    UNKNOWN_VERSION = "unknown-version"  # answers: the version is null
    ODD_JSON = "odd-json"  # answers: not of the protocol, as `variant` says
    DRIP = "drip"  # calls: the head at once, then a byte each `seconds`
    HUGE = "huge"  # calls: an answer of 20 MiB
    RESET = "reset"  # calls: the connection is reset, nothing is carried out
    LATE_ORDER = "late-order"  # orders: the answer is lost, the order is carried out after `seconds`
    UNAUTHORIZED = "unauthorized"  # calls: 401 unless the caller's token is `variant`


VARIANTS: dict[Kind, tuple[str, ...]] = {
    Kind.SPELLING: ("v", "short", "build"),
    Kind.ODD_JSON: (
        *("healthy-text", "status-lower", "number-version", "nul-detail"),
        *("infinity", "nan", "deep", "twice"),
    ),
}
"What `variant` may be, the first one by default; that of UNAUTHORIZED is any text."


class Fault(Body):
    """One fault. Without `instance` it applies to the whole fleet; without `times` it stays until cleared."""

    kind: Kind
    instance: str | None = None
    seconds: float | None = Field(default=None, gt=0, le=3600)
    times: int | None = Field(default=None, ge=1)
    variant: str | None = None

    @model_validator(mode="after")
    def _know_variant(self) -> "Fault":
        known = VARIANTS.get(self.kind)
        if self.variant is None or self.kind is Kind.UNAUTHORIZED or (known and self.variant in known):
            return self
        raise ValueError(f"variant: {self.kind} has {', '.join(known) if known else 'none'}")

    @property
    def chosen(self) -> str:
        """The variant, or the first one of its kind."""
        return self.variant or VARIANTS.get(self.kind, ("",))[0]


class Faults:
    """The faults of one fleet, at most one of a kind for each instance and one for the fleet."""

    def __init__(self) -> None:
        self._table: dict[tuple[Kind, str | None], Fault] = {}
        self._cleared: dict[str | None, asyncio.Event] = {}
        self._ended = False

    def put(self, fault: Fault) -> None:
        """Switch on; replaces one of the same kind for the same instance or fleet."""
        self._table[fault.kind, fault.instance] = fault

    def clear(self, instance: str | None, kind: Kind | None) -> None:
        """Switch off; None means every one. Calls that hang because of it continue."""
        for target in list(self._table):
            if instance in (None, target[1]) and kind in (None, target[0]):
                del self._table[target]
        if kind in (None, Kind.AGENT_HANGS):
            for name in [name for name in self._cleared if instance in (None, name)]:
                self._cleared.pop(name).set()

    def find(self, kind: Kind, instance: str | None) -> Fault | None:
        """The fault for the instance (None: for the fleet itself); its own comes before the fleet's."""
        return self._table.get((kind, instance)) or self._table.get((kind, None))

    def use(self, fault: Fault) -> None:
        """Count one effect; the last of `times` switches the fault off."""
        if fault.times is None:
            return
        del self._table[fault.kind, fault.instance]
        if fault.times > 1:
            self.put(fault.model_copy(update={"times": fault.times - 1}))

    def mode(self, instance: str) -> str | None:
        """The mode that the faults impose on the instance's process; None when they do not affect it."""
        if self.find(Kind.UNHEALTHY, instance):
            return UNHEALTHY
        if flaps := self.find(Kind.FLAPS, instance):
            return f"{FLAPS}:{flaps.seconds or _FLAP_SECONDS}"
        return None

    async def hang(self, fault: Fault) -> None:
        """Wait as the fault says: `seconds`, or until it is cleared.

        :raises Refusal: 503, when there is nothing left to call.
        """
        cleared = self._cleared.setdefault(fault.instance, asyncio.Event())
        try:
            async with asyncio.timeout(fault.seconds):
                await cleared.wait()
        except TimeoutError:
            pass
        if self._ended:
            raise Refusal(503, "BUSY", "the agent stops or the fleet was deleted")

    def end(self) -> None:
        """End the calls that hang, because the agent stops or the fleet is deleted: with a refusal, not carried out."""
        self._ended = True
        self.clear(None, None)

    def dump(self) -> list[dict[str, Any]]:
        """All faults, for the journal and the administration."""
        return [fault.model_dump(mode="json", exclude_none=True) for fault in self._table.values()]

    def load(self, dumped: list[dict[str, Any]]) -> None:
        """Replace all faults by the result of `dump`."""
        self._table = {}
        for fault in dumped:
            self.put(Fault.model_validate(fault))
