"""Follows an upgrade by its REST API until it is over."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from local.demo.rest import Json, Rest
from local.errors import LocalError

_POLL_SECONDS = 0.25
_SILENCE_SECONDS = 180
_SETTLING_SECONDS = 15
"How long the end is waited for after a terminal status: with the fleet away it may take its whole time-out."
_PAGE = 200
SETTLED = "registry.upgrade.settled.v1"
TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "ROLLED_BACK"})


@dataclass(frozen=True)
class Snapshot:
    """The state now: the execution, its instances in the plan's order, and the events since the last snapshot."""

    execution: Json
    instances: list[Json]
    events: list[Json]
    seconds: float

    @property
    def is_terminal(self) -> bool:
        """Whether the execution has ended; its last event may still follow."""
        return self.execution["status"] in TERMINAL

    @property
    def is_settled(self) -> bool:
        """Whether one of the events is the last one, with the final count."""
        return any(each["type"] == SETTLED for each in self.events)


def follow(rest: Rest, execution_id: str) -> Iterator[Snapshot]:
    """Snapshots, a few a second; the last one is of a terminal execution and has its last event, if that comes soon.

    :raises LocalError: the API does not answer, or no event has come for the batch delay and three minutes more.
    """
    path, began = f"/upgrades/{execution_id}", time.monotonic()
    heard, seen, settled, ended = began, 0, False, math.inf
    while True:
        execution = rest.get(path)  # read before the events, so that a terminal execution is shown with all its events
        events = _events(rest, path, seen)
        now = time.monotonic()
        if events:
            seen, heard = events[-1]["sequence"], now
        snapshot = Snapshot(execution, _instances(rest, path), events, now - began)
        yield snapshot
        ended = min(ended, now) if snapshot.is_terminal else math.inf
        if snapshot.is_terminal and (settled or now - ended > _SETTLING_SECONDS):
            return
        settled = settled or snapshot.is_settled  # and once more, for the status reason that has the final count
        if now - heard > _SILENCE_SECONDS + execution["batchDelaySeconds"]:
            attention = execution["attention"] or {"message": "see .local/logs"}
            raise LocalError(f"nothing happens any more: {path} is {execution['status']}; {attention['message']}")
        time.sleep(_POLL_SECONDS)


def _events(rest: Rest, path: str, after: int) -> list[Json]:
    found: list[Json] = []
    while True:
        page = rest.get(f"{path}/events", {"after": after, "limit": _PAGE})
        found += page["items"]
        if page["nextCursor"] is None:
            return found
        after = found[-1]["sequence"]


def _instances(rest: Rest, path: str) -> list[Json]:
    """The first 200 instances: the demo fleet has twenty."""
    items: list[Json] = rest.get(f"{path}/instances", {"limit": _PAGE})["items"]
    return items
