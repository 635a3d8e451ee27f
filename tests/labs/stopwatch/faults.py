"""The faults whose time is taken, by the names that the table gives them, and the words that the caller sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.labs.memory.lab import MemoryLab
from tests.labs.stopwatch import agent
from tests.labs.stopwatch.agent import Break, BrokenClient
from upgrade_orchestrator.domain.execution.execution import Strategy

FOR_EVER = 3600.0
BLUE_GREEN: Mapping[str, Any] = {"strategy": Strategy.BLUE_GREEN}


@dataclass(frozen=True)
class Fault:
    """``begin`` breaks the fleet while an instance is in status ``during``; ``says`` is a pattern of what names it.

    ``says`` None: the upgrade is not hindered. ``settings`` are the fleet's, ``fields`` the request's.
    """

    name: str
    begin: Callable[[MemoryLab, BrokenClient], None]
    says: str | None
    during: str = "UPGRADING"
    settings: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


def _connection(broken: Break) -> Callable[[MemoryLab, BrokenClient], None]:
    def begin(lab: MemoryLab, client: BrokenClient) -> None:
        client.broken = broken

    return begin


def _fleet(kind: str) -> Callable[[MemoryLab, BrokenClient], None]:
    return lambda lab, client: lab.fault(kind)


def _one(kind: str) -> Callable[[MemoryLab, BrokenClient], None]:
    """One of the instances that are being upgraded."""

    def begin(lab: MemoryLab, client: BrokenClient) -> None:
        name = next(each for each, found in lab.fleet().items() if found["status"] == "UPGRADING")
        lab.world.admin.fault(lab.world.fleet, kind, name)

    return begin


def _odd(variant: str, says: str | None) -> Fault:
    what = f"answers of odd JSON: {variant}"
    return Fault(what, lambda lab, client: odd(lab, variant), says)


def odd(lab: MemoryLab, variant: str) -> None:
    """Every answer is odd JSON of this kind."""
    lab.world.admin.fault(lab.world.fleet, "odd-json", variant=variant)


def _raise_token(lab: MemoryLab, client: BrokenClient) -> None:
    lab.world.admin.change(lab.world.fleet, "raise-token")


def _delete_connection(lab: MemoryLab, client: BrokenClient) -> None:
    client.defined = False


def _nothing(lab: MemoryLab, client: BrokenClient) -> None:
    """The fleet's own settings are the fault, if there is one."""


FAULTS = [
    Fault("none", _nothing, None),
    Fault("nothing listens at the agent's address", _connection(agent.refuses_connections), "FLEET_UNREACHABLE"),
    Fault("each call hangs for its 10 s, or its answer drips", _connection(agent.hangs), "FLEET_UNREACHABLE"),
    Fault("orders hang for 10 s, looks are answered", _connection(agent.hangs_on_orders), "FLEET_UNREACHABLE"),
    Fault("each answer takes 9 s", _connection(agent.is_slow), None),
    Fault("503 to everything", _connection(agent.answers(503)), "FLEET_BUSY"),
    Fault("401 to everything", _connection(agent.answers(401)), "FLEET_REFUSED_TOKEN"),
    Fault("the Airflow connection is deleted", _delete_connection, "FLEET_CONNECTION"),
    Fault("an answer of more than 16 MiB", _connection(agent.answers_hugely), "FLEET_PROTOCOL .*16 MiB"),
    _odd("healthy-text", "FLEET_PROTOCOL"),
    _odd("status-lower", "FLEET_PROTOCOL"),
    _odd("number-version", "FLEET_PROTOCOL"),
    _odd("nul-detail", None),
    _odd("infinity", "FLEET_PROTOCOL"),
    _odd("nan", "FLEET_PROTOCOL"),
    _odd("deep", "FLEET_PROTOCOL"),
    _odd("twice", "FLEET_PROTOCOL"),
    Fault("an empty list", _fleet("empty-list"), "gone|list left it out"),
    Fault("a list without what does not run", _fleet("absent"), "gone|list left it out"),
    Fault("one instance is left out of the list", _one("absent"), "gone|list left it out"),
    Fault("one instance is ill after its upgrade", _one("comes-up-unhealthy"), "health"),
    Fault("one upgrade fails", _one("upgrade-fails"), "the upgrade to .* failed"),
    Fault("an upgrade never ends", _nothing, "still UPGRADING", settings={"upgrade_seconds": FOR_EVER}),
    Fault("a drain never ends", _nothing, "still DRAINING", "DRAINING", {"drain_seconds": FOR_EVER}),
    Fault(
        "orders are accepted, and none is carried out",
        _connection(agent.only_says_yes),
        "still DRAINING",
        "DRAINING",
        {"drain_seconds": FOR_EVER},
    ),
    Fault("the fleet has seen a higher token (412)", _raise_token, "refuses our fencing token"),
    Fault(
        "blue-green: each call hangs for its 10 s",
        _connection(agent.hangs),
        "FLEET_UNREACHABLE",
        fields=BLUE_GREEN,
    ),
    Fault("blue-green: 503 to everything", _connection(agent.answers(503)), "FLEET_BUSY", fields=BLUE_GREEN),
    Fault(
        "blue-green: orders are accepted, and none is carried out",
        _connection(agent.only_says_yes),
        "still UPGRADING|did not",
        settings={"upgrade_seconds": FOR_EVER},
        fields=BLUE_GREEN,
    ),
    Fault(
        "blue-green: another pool has the traffic",
        _connection(agent.sends_traffic_elsewhere),
        "violet",
        fields=BLUE_GREEN,
    ),
]
