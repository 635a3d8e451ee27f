"""A fleet: everything the agent must know of it after a crash. It changes only by lines of its journal."""

from collections.abc import Iterable
from typing import Any

from local.fleet.instance.instance import Instance, Status, natural
from local.fleet.instance.server import OK, UNHEALTHY
from local.fleet.refusal import unknown
from local.fleet.settings import NewPool, Settings
from local.fleet.state.calls import Answer, Call, Memory
from local.fleet.state.faults import Fault, Faults, Kind
from local.fleet.state.journal import Journal, Line

FIRST_POOL = "blue"
_NO_PROCESS = {"pid": None, "port": None}


class Fleet:
    """The state that the lines of the journal add up to, and `record`, the only way to add one.

    Kinds of line: created, reset, transition, pool, traffic, call, fence, faults, health. Each carries `unavailable`:
    how many instances of the pool with the traffic do not serve once the line is true.
    """

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.journal = journal
        self._origin: Settings | None = None
        self._settings: Settings | None = None
        self.instances: dict[str, Instance] = {}
        self.former: set[str] = set()
        "Ids of instances that were removed."
        self.pools: dict[str, NewPool] = {}
        self.traffic = FIRST_POOL
        self.memory = Memory()
        self.faults = Faults()
        for line in self.journal.lines():
            self._apply(line)

    # reading

    @property
    def created(self) -> bool:
        """Whether the creation is recorded; if not, the agent died before that and the fleet does not exist."""
        return self._settings is not None

    @property
    def settings(self) -> Settings:
        """The settings it was created with, or last reset to."""
        assert self._settings is not None
        return self._settings

    @property
    def origin(self) -> Settings:
        """The settings it was created with."""
        assert self._origin is not None
        return self._origin

    @property
    def leader(self) -> str | None:
        """The instance it was created with as leader (by default the first), or else the first one left."""
        wanted = self.settings.leader
        return wanted if wanted in self.instances else next((each.id for each in self.listing()), None)

    @property
    def free(self) -> int:
        """How many more instances fit."""
        return self.settings.capacity - sum(pool.size for pool in self.pools.values())

    def listing(self) -> list[Instance]:
        """The instances in the fleet's order."""
        return sorted(self.instances.values(), key=lambda instance: natural(instance.id))

    def instance(self, name: str) -> Instance:
        """The instance.

        :raises Refusal: 404, there is none.
        """
        found = self.instances.get(name)
        if found is None:
            raise unknown("instance", name)
        return found

    def body(self) -> dict[str, Any]:
        """The protocol's answer to GET /fleets/{fleet}."""
        leader = self.leader
        return {
            "fleet": self.name,
            "instances": [instance.body(leader) for instance in self.listing()],
            "capacity": {"freeInstances": self.free},
            "traffic": self.traffic,
        }

    def described(self) -> dict[str, Any]:
        """The same with what only the administration shows: settings, fencing token, and each instance's process."""
        processes = {
            each.id: {"pid": each.process.pid, "port": each.process.port} if each.process else _NO_PROCESS
            for each in self.listing()
        }
        body = self.body()
        instances = [{**each, **processes[each["id"]]} for each in body["instances"]]
        memory = {"highestFencingToken": self.memory.highest if self.memory.highest >= 0 else None}
        return {**body, "instances": instances, "settings": self.settings.dump(), **memory}

    def mode(self, instance: Instance) -> str:
        """How the instance's process has to behave."""
        born = UNHEALTHY if instance.born_unhealthy else OK
        return self.faults.mode(instance.id) or born

    # changing

    def record(self, kind: str, **fields: Any) -> None:
        """Apply the line, then write it."""
        line: Line = {"kind": kind, **fields}
        self._apply(line)
        serving = (each for each in self.instances.values() if each.pool == self.traffic)
        self.journal.append({**line, "unavailable": sum(not instance.available for instance in serving)})

    def move(self, instance: Instance, to: Status | None, call: Call | None = None, **changes: Any) -> None:
        """Record a transition (`to` None: the instance is removed). `pid` is that of the process concerned."""
        fields: dict[str, Any] = {
            "from": instance.status if self.instances.get(instance.id) is instance else None,
            "version": instance.version,
            "pool": instance.pool,
            "pid": instance.process.pid if instance.process else None,
            "healthy": instance.healthy,
            "bornUnhealthy": instance.born_unhealthy,
            "key": call.key if call else None,
            "fence": call.fence if call else None,
        }
        if to is not None:
            self.instances[instance.id] = instance
        self.record("transition", **{"instance": instance.id, "to": to, **fields, **changes})

    def meet(self, kind: Kind, instance: str | None) -> Fault | None:
        """The fault of that kind for the instance (None: for a call on the fleet) now; counts it."""
        fault = self.faults.find(kind, instance)
        if fault is not None:
            self.spend([fault])
        return fault

    def spend(self, met: Iterable[Fault]) -> None:
        """Count one effect of each of the faults."""
        counted = [fault for fault in met if fault.times is not None]
        for fault in counted:
            self.faults.use(fault)
        if counted:
            self.record_faults()

    def record_faults(self) -> None:
        """Write down the current faults."""
        self.record("faults", faults=self.faults.dump())

    # replaying

    def _apply(self, line: Line) -> None:
        getattr(self, f"_apply_{line['kind']}")(line)

    def _apply_created(self, line: Line) -> None:
        self._origin = Settings.model_validate(line["settings"])
        self._settle(self._origin)

    def _settle(self, settings: Settings) -> None:
        self._settings = settings
        self.pools = {FIRST_POOL: NewPool(version=settings.version, size=settings.size)}

    def _apply_reset(self, line: Line) -> None:
        self._settle(Settings.model_validate(line["settings"]))
        self.instances, self.former, self.traffic = {}, set(), FIRST_POOL
        self.faults.clear(None, None)
        if line["forgetFencing"]:
            self.memory = Memory()

    def _apply_transition(self, line: Line) -> None:
        name = line["instance"]
        if line["to"] is None:
            self.instances.pop(name, None)
            self.former.add(name)
            return
        status = Status(line["to"])
        known = self.instances.setdefault(name, Instance(name, line["pool"], line["version"], status))
        known.status, known.version = status, line["version"]
        known.healthy, known.born_unhealthy = line["healthy"], line["bornUnhealthy"]

    def _apply_pool(self, line: Line) -> None:
        if line["size"] is None:
            self.pools.pop(line["pool"], None)
        else:
            self.pools[line["pool"]] = NewPool(version=line["version"], size=line["size"])

    def _apply_traffic(self, line: Line) -> None:
        self.traffic = line["pool"]

    def _apply_call(self, line: Line) -> None:
        self.memory.see(line["fence"])
        self.memory.answers[line["key"]] = Answer(line["fingerprint"], line["status"], line["answer"])

    def _apply_fence(self, line: Line) -> None:
        self.memory.see(line["fence"])

    def _apply_faults(self, line: Line) -> None:
        self.faults.load(line["faults"])

    def _apply_health(self, line: Line) -> None:
        self.instances[line["instance"]].healthy = line["healthy"]


def instance_ids(fleet: str, pool: str, size: int) -> list[str]:
    """Ids for the instances of a pool: demo-01 …, demo-green-01 …"""
    stem = fleet if pool == FIRST_POOL else f"{fleet}-{pool}"
    return [f"{stem}-{number:0{max(2, len(str(size)))}}" for number in range(1, size + 1)]
