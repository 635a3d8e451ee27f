"""Answers to reading calls, as the faults have them: wrong in content (list, versions) or in form (odd JSON)."""

import json
import math
from collections.abc import Callable
from typing import Any

from local.fleet.instance.instance import Instance, Status
from local.fleet.state.faults import Fault, Kind
from local.fleet.state.fleet import Fleet

Json = dict[str, Any]
_DEPTH = 100_000


class Reading:
    """One answer; the faults that it meets are counted once, when it is encoded."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._met: dict[tuple[Kind, str | None], Fault] = {}

    def listing(self) -> bytes:
        """The answer to GET /fleets/{fleet}."""
        fleet, leader = self._fleet, self._fleet.leader
        shown = [each for each in fleet.listing() if not self._is_left_out(each)]
        if self._meets(Kind.EMPTY_LIST, None):
            shown = []
        body = {**fleet.body(), "instances": [self._reported(each.id, each.body(leader)) for each in shown]}
        return self._encoded(None, body)

    def one(self, instance: Instance) -> bytes:
        """The answer to GET …/instances/{id}."""
        return self._encoded(instance.id, self._reported(instance.id, instance.body(self._fleet.leader)))

    def health(self, instance: Instance, answer: Json) -> bytes:
        """The answer to GET …/instances/{id}/health."""
        return self._encoded(instance.id, self._reported(instance.id, answer))

    def _meets(self, kind: Kind, instance: str | None) -> Fault | None:
        found = self._fleet.faults.find(kind, instance)
        if found is not None:
            self._met[kind, found.instance] = found
        return found

    def _is_left_out(self, instance: Instance) -> bool:
        fault = self._meets(Kind.ABSENT, instance.id)
        return fault is not None and (fault.instance is not None or instance.status is not Status.RUNNING)

    def _reported(self, name: str, body: Json) -> Json:
        """The body with its version as the faults spell it."""
        if self._meets(Kind.UNKNOWN_VERSION, name):
            return {**body, "version": None}
        spelling = self._meets(Kind.SPELLING, name)
        return {**body, "version": _SPELLINGS[spelling.chosen](body["version"])} if spelling else body

    def _encoded(self, name: str | None, body: Json) -> bytes:
        odd = self._meets(Kind.ODD_JSON, name)
        self._fleet.spend(self._met.values())
        return _ODD[odd.chosen](body) if odd else json.dumps(body).encode()


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "v": lambda version: f"v{version}",
    "short": lambda version: version.removesuffix(".0"),
    "build": lambda version: f"{version}+b5",
}


def _changed(field: str, change: Callable[[Any], Any]) -> Callable[[Json], bytes]:
    """Encodes the body with that field of the first instance (of a health answer: its own) changed."""

    def encode(body: Json) -> bytes:
        instances = body.get("instances")
        target = instances[0] if instances else body
        target[field] = change(target.get(field))
        return json.dumps(body).encode()

    return encode


def _with_room(room: float) -> Callable[[Json], bytes]:
    return lambda body: json.dumps({**body, "capacity": {"freeInstances": room}}).encode()


def _deep(body: Json) -> bytes:
    return json.dumps(body).encode()[:-1] + b', "more": ' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"


def _twice(body: Json) -> bytes:
    instances = body.get("instances", [])
    return json.dumps({**body, "instances": [*instances, *instances[:1]]}).encode()


_ODD: dict[str, Callable[[Json], bytes]] = {
    "healthy-text": _changed("healthy", lambda healthy: str(healthy).lower()),
    "status-lower": _changed("status", lambda status: str(status).lower()),
    "number-version": _changed("version", lambda version: float(".".join(str(version).split(".")[:2]))),
    "nul-detail": _changed("detail", lambda _: "no answer from\x00 its port"),
    "infinity": _with_room(math.inf),
    "nan": _with_room(math.nan),
    "deep": _deep,
    "twice": _twice,
}
