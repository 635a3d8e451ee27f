"""The faults that `make demo FAULT=…` shows: what happens, when, and how the upgrade has to end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from local.demo.following import Snapshot
from local.demo.rest import Json
from local.fleet.client import FleetAdmin

TIMEOUT_SECONDS = 15
"healthCheckTimeoutSeconds of a rehearsal."
_WORKED_ON = frozenset({"DRAINING", "UPGRADING", "HEALTH_CHECKING"})


class Moment(Enum):
    """When the fault is switched on."""

    BEFORE = "before the upgrade is created"
    UPGRADING = "while the first batch is worked on"
    LATER = "when the first batch is done"

    def has_come(self, snapshot: Snapshot) -> bool:
        """Whether the upgrade has reached it."""
        statuses = {each["status"] for each in snapshot.instances if each["batch"] == 1}
        if self is Moment.UPGRADING:
            return "UPGRADING" in statuses
        return self is Moment.LATER and statuses == {"COMPLETED"}


@dataclass
class Target:
    """The fleet at the moment of the fault, and the instance that it was about."""

    agent: FleetAdmin
    fleet: str
    rows: list[Json]
    chosen: str = ""

    def fault(self, kind: str, instance: str | None = None, **more: Any) -> None:
        """Switch a fault of the agent on."""
        self.agent.fault(self.fleet, kind, instance, **more)

    def change(self, kind: str, *instances: str, **more: Any) -> None:
        """Change the fleet."""
        self.agent.change(self.fleet, kind, *instances, **more)

    def worked_on(self) -> str:
        """An instance that is worked on now."""
        return self._first(lambda row: row["status"] in _WORKED_ON)

    def done(self) -> str:
        """An instance that is COMPLETED."""
        return self._first(lambda row: row["status"] == "COMPLETED")

    def pending(self) -> str:
        """An instance of a later batch."""
        return self._first(lambda row: row["status"] == "PENDING" and row["batch"] > 2)

    def second(self) -> str:
        """The fleet's second instance, before there is an upgrade."""
        self.chosen = self.agent.fleet(self.fleet)["instances"][1]["id"]
        return self.chosen

    def _first(self, wanted: Callable[[Json], bool]) -> str:
        self.chosen = next((row["instanceId"] for row in self.rows if wanted(row)), self.rows[-1]["instanceId"])
        return self.chosen


@dataclass(frozen=True)
class Rehearsal:
    """One fault. `says`: what the reason or a warning has to contain, with {chosen} for the instance's id.

    `leaves` is the status in which the chosen instance stays in the fleet; `fields` are those of the request.
    """

    line: str
    moment: Moment
    begin: Callable[[Target], None]
    ends: str = "COMPLETED"
    says: str = ""
    leaves: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


_BEFORE, _UPGRADING, _LATER = Moment.BEFORE, Moment.UPGRADING, Moment.LATER
_OF_EVERY_SIZE = {"totalInstances": None}

REHEARSALS: dict[str, Rehearsal] = {
    "absent": Rehearsal(
        "the list leaves out what is not RUNNING, ten times: a look that could not be made",
        *(_UPGRADING, lambda target: target.fault("absent", times=10)),
    ),
    "empty-list": Rehearsal(
        "the list is empty five times, as of an agent that is starting",
        *(_UPGRADING, lambda target: target.fault("empty-list", times=5)),
    ),
    "spelling": Rehearsal(
        "the agent says v3.7.0 where 3.7.0 was asked for: the same version",
        *(_BEFORE, lambda target: target.fault("spelling", variant="v")),
    ),
    "unknown-version": Rehearsal(
        "an instance reports no version: it is upgraded, and cannot be rolled back",
        *(_BEFORE, lambda target: target.fault("unknown-version", target.second(), times=3)),
        says="{chosen}",
    ),
    "non-ascii-id": Rehearsal(
        "an instance is called brøker-1: ids are of any script",
        *(_BEFORE, lambda target: target.change("join", "brøker-1")),
        fields=_OF_EVERY_SIZE,
    ),
    "odd-json": Rehearsal(
        'healthy is the text "true" in five answers: not of the protocol, so no look',
        *(_UPGRADING, lambda target: target.fault("odd-json", variant="healthy-text", times=5)),
    ),
    "drip": Rehearsal(
        "two answers come byte by byte, one each four seconds: a call ends after ten",
        *(_UPGRADING, lambda target: target.fault("drip", seconds=4, times=2)),
        fields={"healthCheckTimeoutSeconds": 60},
    ),
    "huge": Rehearsal(
        "three answers have 20 MiB: more than 16 are not read",
        *(_UPGRADING, lambda target: target.fault("huge", times=3)),
    ),
    "busy": Rehearsal(
        "the agent answers ten calls with 503: tried again later",
        *(_UPGRADING, lambda target: target.fault("agent-503", times=10)),
    ),
    "reset": Rehearsal(
        "the connections of ten calls are reset: tried again",
        *(_UPGRADING, lambda target: target.fault("reset", times=10)),
    ),
    "unauthorized": Rehearsal(
        "the agent refuses the token with 401 ten times: the connection is read again each time",
        *(_UPGRADING, lambda target: target.fault("unauthorized", times=10)),
    ),
    "late-order": Rehearsal(
        "the answer of an order is lost, and the order arrives three seconds later: it is given again, done once",
        *(_LATER, lambda target: target.fault("late-order", seconds=3, times=1)),
    ),
    "fails": Rehearsal(
        "the upgrade of one instance fails once: it gets one more try",
        *(_UPGRADING, lambda target: target.fault("upgrade-fails", target.pending(), times=1)),
    ),
    "ill": Rehearsal(
        "an upgraded instance falls ill for some answers: it is looked at again",
        *(_LATER, lambda target: target.fault("unhealthy", target.done(), times=4)),
    ),
    "foreign-drain": Rehearsal(
        "a person has drained an instance before: it is upgraded, and left drained",
        *(_BEFORE, lambda target: target.change("drain", target.second())),
        leaves="DRAINED",
    ),
    "replace": Rehearsal(
        "an upgraded instance comes back under a new id: the old one is gone, and named in the end",
        *(_LATER, lambda target: target.change("replace", target.done())),
        says="{chosen}",
    ),
    "remove": Rehearsal(
        "an instance of a later batch is removed: gone after the time-out, and named in the end",
        *(_LATER, lambda target: target.change("remove", target.pending())),
        says="{chosen}",
    ),
    "join": Rehearsal(
        "an instance joins at the old version: no part of the plan, the deployment is mixed",
        *(_LATER, lambda target: target.change("join")),
    ),
    "stale-token": Rehearsal(
        "another client has called with a far higher fencing token: FAILED with both numbers",
        *(_UPGRADING, lambda target: target.change("raise-token")),
        ends="FAILED",
        says="token",
    ),
    "gone": Rehearsal(
        "the agent does not answer any more: FAILED after the time-outs, and the place is free",
        *(_UPGRADING, lambda target: target.fault("agent-hangs")),
        ends="FAILED",
    ),
}
