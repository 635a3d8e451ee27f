"""`make demo FAULT=…`: an upgrade of the demo fleet with a fault, whose end is compared with the expected one."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
from rich.console import Console

from local.demo.following import Snapshot, follow
from local.demo.progress import view_on
from local.demo.rehearsals import REHEARSALS, TIMEOUT_SECONDS, Moment, Rehearsal, Target
from local.demo.rest import Json, Rest
from local.errors import LocalError
from local.fleet.client import FleetAdmin

HELP = "help"
LABEL = "make demo FAULT"
"By this initiatedBy an upgrade of a rehearsal is known."
_FREE_SECONDS = 120.0
_PACE: Json = {
    "strategy": "ROLLING",
    "batchDelaySeconds": 1,
    "healthCheckIntervalSeconds": 1,
    "healthCheckTimeoutSeconds": TIMEOUT_SECONDS,
    "autoRollbackEnabled": False,
}


def listed() -> str:
    """Every fault with one line, and how the upgrade ends."""
    width = max(map(len, REHEARSALS))
    lines = (f"  {name:{width}}  {each.line} → {each.ends}" for name, each in REHEARSALS.items())
    return "\n".join(["make demo FAULT=… shows one of these:", *lines])


def chosen(name: str) -> Rehearsal:
    """The rehearsal of that name.

    :raises LocalError: there is none; with all that there are.
    """
    if name not in REHEARSALS:
        raise LocalError(f"FAULT is {name!r}, which is not known\n{listed()}")
    return REHEARSALS[name]


def request(base: Json, rehearsal: Rehearsal) -> Json:
    """The body of its upgrade: rolling, with short time-outs."""
    wanted = base | _PACE | {"initiatedBy": LABEL} | dict(rehearsal.fields)
    return {name: value for name, value in wanted.items() if value is not None}


def put_back(rest: Rest, agent: FleetAdmin, fleet: str, deployment: str) -> bool:
    """Switch every fault off, and cancel the upgrade of a rehearsal that is active, so that the next one can begin.

    True when there was one.
    """
    with suppress(httpx.HTTPError):
        agent.clear_faults(fleet)
    with suppress(LocalError):  # 404: none is active; 409: it has ended meanwhile
        active = rest.get(f"{deployment}/upgrades/active")
        if active["initiatedBy"] == LABEL:
            with suppress(LocalError):
                rest.post(f"/upgrades/{active['id']}/cancel")
            return is_free(rest, deployment)
    return False


def is_free(rest: Rest, deployment: str) -> bool:
    """Whether another upgrade of the deployment may be created, within two minutes."""
    deadline = time.monotonic() + _FREE_SECONDS
    while time.monotonic() < deadline:
        try:
            rest.get(f"{deployment}/upgrades/active")
        except LocalError as error:
            if "NO_ACTIVE_UPGRADE" in str(error):
                return True
            raise
        time.sleep(0.5)
    return False


class Rehearsing:
    """One rehearsal on the demo fleet of `agent`; `deployment` is the path of the demo deployment."""

    def __init__(self, rest: Rest, agent: FleetAdmin, fleet: str, deployment: str, rehearsal: Rehearsal) -> None:
        self._rest, self._agent, self._fleet, self._deployment = rest, agent, fleet, deployment
        self._rehearsal = rehearsal
        self._target: Target | None = None

    def run(self, create: Callable[[], str]) -> Json:
        """Create and start the upgrade with `create`, follow it and break the fleet; returns it as it ended.

        :raises LocalError: the end is another than the expected one.
        """
        self._agent.clear_faults(self._fleet)
        if self._rehearsal.moment is Moment.BEFORE:
            self._begin([])
        last = self._follow(create())
        if self._target is None:
            raise LocalError(f"the upgrade is {last['status']} before the fault began: {last['statusReason']}")
        problems = self._problems(last)
        if problems:
            raise LocalError(f"not as expected: {'; '.join(problems)}")
        return last

    def _follow(self, execution_id: str) -> Json:
        snapshot = None
        with view_on(Console()) as view:
            for snapshot in follow(self._rest, execution_id):
                view.show(snapshot)
                self._begin_if_due(snapshot)
        assert snapshot is not None  # `follow` yields at least one
        return snapshot.execution

    def _begin_if_due(self, snapshot: Snapshot) -> None:
        if self._target is None and self._rehearsal.moment.has_come(snapshot):
            self._begin(snapshot.instances)

    def _begin(self, rows: list[Json]) -> None:
        target = Target(self._agent, self._fleet, rows)
        self._rehearsal.begin(target)
        self._target = target
        about = f" ({target.chosen})" if target.chosen else ""
        print(f"--- {self._rehearsal.moment.value}{about}: {self._rehearsal.line}", file=sys.stderr)

    def _problems(self, last: Json) -> list[str]:
        """How the end differs from the expected one."""
        expected, name = self._rehearsal, self._target.chosen if self._target else ""
        problems = []
        if last["status"] != expected.ends:
            problems.append(f"the upgrade is {last['status']}, not {expected.ends}: {last['statusReason']}")
        said, wanted = [last["statusReason"], *last["warnings"]], expected.says.format(chosen=name)
        if not any(wanted in each for each in said):
            problems.append(f"neither the reason nor a warning says {wanted!r}: {'; '.join(said)}")
        if not is_free(self._rest, self._deployment):  # while the fault is still on
            problems.append(f"the deployment is not free {_FREE_SECONDS:g} s after the end")
        if expected.leaves and self._status_of(name) != expected.leaves:
            problems.append(f"{name} is {self._status_of(name)}, not {expected.leaves}")
        return problems

    def _status_of(self, instance: str) -> str:
        return str(self._agent.instance(self._fleet, instance)["status"])
