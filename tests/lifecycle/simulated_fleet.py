"""A fleet in this process that follows specification section 11 exactly, and makes progress only when a test says
so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.lifecycle.stepped import Clock
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.service.ports.fleet import Conflict, FleetError, StaleToken

DRAIN, UNDRAIN, SET_VERSION = "drain", "undrain", "set-version"
MAKE, REMOVE, SWITCH = "make pool", "remove pool", "switch traffic"


@dataclass
class SimulatedInstance:
    """``upgrade_to`` is set while UPGRADING; ``ill_since`` while it is down without an order of ours."""

    instance_id: str
    version: str
    leader: bool = False
    pool: str = "blue"
    status: str = "RUNNING"
    healthy: bool = True
    upgrade_to: str = ""
    ill_since: datetime | None = None
    drained_by: str = ""
    "The execution that drained it last."

    @property
    def available(self) -> bool:
        """Whether it serves."""
        return self.status == "RUNNING" and self.healthy

    def begin_upgrade(self, version: str) -> None:
        """It is being replaced: from now on it is down because of our order."""
        self.status, self.upgrade_to, self.healthy, self.ill_since = "UPGRADING", version, False, None

    def drain(self, execution_id: str) -> None:
        """It drains its connections: from now on it is down because of our order."""
        self.status, self.ill_since, self.drained_by = "DRAINING", None, execution_id

    def undrain(self) -> None:
        """It serves again, if it is healthy."""
        self.status = "RUNNING"

    def shown(self) -> FleetInstance:
        """The instance as the agent shows it."""
        return FleetInstance(self.instance_id, self.version, self.status, self.healthy, self.leader, self.pool)


@dataclass(frozen=True)
class Effect:
    """An order that changes something, to be checked by the rules; ``target`` is an instance or a pool."""

    order: str
    target: str
    key: str
    token: int
    version: str = ""
    size: int = 0
    was_available: bool = False

    @property
    def execution_id(self) -> str:
        """The execution that ordered it, with whose id every key begins."""
        return self.key.split(".")[0]


@dataclass
class Faults:
    """How many of the next calls fail, and in which way."""

    silent: int = 0
    "Calls that get no answer and have no effect."
    lost: int = 0
    "Orders that are carried out, but whose answer is lost."
    doubled: int = 0
    "Orders that are delivered twice."

    def take(self, kind: str) -> bool:
        """True when this call is one of those; it is counted."""
        left: int = getattr(self, kind)
        setattr(self, kind, max(0, left - 1))
        return left > 0


@dataclass
class SimulatedFleet:
    """Instances, pools, fencing, idempotency; ``judge`` is asked about every order before it changes anything."""

    name: str
    clock: Clock
    instances: dict[str, SimulatedInstance]
    judge: Callable[[Effect], None]
    free: int = 0
    traffic: str = "blue"
    faults: Faults = field(default_factory=Faults)
    highest_token: int = 0
    keys: set[str] = field(default_factory=set)
    effects: list[Effect] = field(default_factory=list)

    # what is asked

    def fleet(self) -> Fleet:
        """The whole fleet as the agent shows it."""
        self._answer()
        shown = tuple(each.shown() for each in self.instances.values())
        return Fleet(self.name, shown, self.free, self.traffic)

    def health(self, instance_id: str) -> Health:
        """The instance's own health."""
        self._answer()
        found = self._find(instance_id)
        return Health(found.available, found.version, "" if found.available else f"{found.status}, not well")

    def serving(self) -> list[SimulatedInstance]:
        """The instances that have the traffic."""
        return self.in_pool(self.traffic)

    def in_pool(self, pool: str) -> list[SimulatedInstance]:
        """The instances of a pool; none when there is no such pool."""
        return [each for each in self.instances.values() if each.pool == pool]

    def order(self, wanted: Effect) -> None:
        """Check fencing, then idempotency, then carry out the order itself; even if its answer is lost afterwards."""
        self._answer()
        for _ in range(2 if self.faults.take("doubled") else 1):
            self._deliver(wanted)
        if self.faults.take("lost"):
            raise FleetError("the answer was lost", in_doubt=True)

    def _answer(self) -> None:
        if self.faults.take("silent"):
            raise FleetError("the agent does not answer")

    def _find(self, instance_id: str) -> SimulatedInstance:
        if instance_id not in self.instances:
            raise FleetError(f"404: no instance {instance_id}")
        return self.instances[instance_id]

    def _deliver(self, wanted: Effect) -> None:
        if wanted.token < self.highest_token:
            raise StaleToken(f"the agent has seen a higher fencing token than {wanted.token}")
        self.highest_token = wanted.token
        if wanted.key in self.keys:
            return
        act = self._pool_order(wanted) if wanted.order in (MAKE, REMOVE, SWITCH) else self._instance_order(wanted)
        self.keys.add(wanted.key)
        if act is not None:
            found = self.instances.get(wanted.target)
            effect = replace(wanted, was_available=found is not None and found.available)
            self.judge(effect)
            self.effects.append(effect)
            act()

    # the effects of orders: None where the order changes nothing

    def _instance_order(self, wanted: Effect) -> Callable[[], None] | None:
        found = self._find(wanted.target)
        accepted = {
            DRAIN: ("RUNNING", "DRAINING", "DRAINED", "STOPPED"),
            UNDRAIN: ("RUNNING", "DRAINING", "DRAINED"),
            SET_VERSION: ("DRAINED", "STOPPED"),
        }[wanted.order]
        if found.status not in accepted:
            raise Conflict(f"409: {wanted.order} of {wanted.target}, which is {found.status}")
        if wanted.order == SET_VERSION:
            return lambda: found.begin_upgrade(wanted.version)
        if (wanted.order == DRAIN) is not (found.status == "RUNNING"):
            return None
        return (lambda: found.drain(wanted.execution_id)) if wanted.order == DRAIN else found.undrain

    def _pool_order(self, wanted: Effect) -> Callable[[], None] | None:
        there = self.in_pool(wanted.target)
        if wanted.order == MAKE:
            if len(there) == wanted.size:
                return None
            if there or wanted.size > self.free:
                raise Conflict(f"409: a pool of that name has {len(there)} instances, {self.free} are free")
            return lambda: self._make_pool(wanted)
        if not there:
            raise FleetError(f"404: no pool {wanted.target}")
        if wanted.order == SWITCH:
            return None if wanted.target == self.traffic else lambda: setattr(self, "traffic", wanted.target)
        if wanted.target == self.traffic:
            raise Conflict(f"409: pool {wanted.target} has the traffic")
        return lambda: self._remove_pool(wanted.target)

    def _make_pool(self, wanted: Effect) -> None:
        self.free -= wanted.size
        for number in range(wanted.size):
            made = SimulatedInstance(f"{wanted.target}-{number + 1}", wanted.version, pool=wanted.target)
            made.begin_upgrade(wanted.version)
            self.instances[made.instance_id] = made

    def _remove_pool(self, pool: str) -> None:
        for each in self.in_pool(pool):
            del self.instances[each.instance_id]
            self.free += 1

    # what happens in the fleet

    def get_on(self, instance_id: str, fate: str = "well") -> None:
        """End the current step; ``fate`` is how an upgrade ends: well, stopped or unhealthy."""
        found = self.instances[instance_id]
        if found.status == "DRAINING":
            found.status = "DRAINED"
        elif found.status == "UPGRADING" and fate == "stopped":
            found.status = "STOPPED"
        elif found.status == "UPGRADING":
            found.status, found.version, found.healthy = "RUNNING", found.upgrade_to, fate == "well"

    def get_all_on(self) -> None:
        """End every current step well."""
        for each in self.instances:
            self.get_on(each)

    def fall_ill(self, instance_id: str) -> None:
        """The instance fails, without an order."""
        found = self.instances[instance_id]
        if found.available:
            found.healthy, found.ill_since = False, self.clock.now()

    def recover(self, instance_id: str) -> None:
        """The instance recovers by itself, even if it has stopped: at the version that it had."""
        found = self.instances[instance_id]
        if found.status in ("RUNNING", "STOPPED"):
            found.status, found.healthy, found.ill_since = "RUNNING", True, None

    def heal(self) -> None:
        """All faults are over, and every current step ends well."""
        self.faults = Faults()
        self.get_all_on()
        for name, each in self.instances.items():
            if each.status == "RUNNING":
                self.recover(name)
