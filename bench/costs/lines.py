"""Reads the lines that the probe has written: task processes with their supervisors, and triggers."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.probe.meter import Spent
from bench.probe.tasks import BEGIN, PHASES

NOTHING = Spent(0.0, 0, 0.0)
SUPERVISOR, FORK, END = "supervisor", "fork", "end"
PARTS = (SUPERVISOR, FORK, *PHASES, END)
"The parts of a task's cost, in their order. Most of the supervisor's CPU is used later, while the other parts run."


@dataclass(frozen=True)
class Processes:
    """A task's process and what its supervisor did for it."""

    task: str
    "The task's id without the batch's number."
    parts: dict[str, Spent]
    connections: int
    statements: int
    requests: int
    "HTTP requests to the fleet's agent."
    supervisor_requests: int
    "HTTP requests to the API server."
    imported: list[str]
    "Modules that were not yet imported at the fork."

    @property
    def total(self) -> Spent:
        """The cost of process and supervisor together, from the supervisor's first line to its last."""
        return sum_of(list(self.parts.values()))


@dataclass(frozen=True)
class Trigger:
    """A trigger that has run in the triggerer; ``wall`` is seconds."""

    task: str
    wall: float
    connections: int
    statements: int
    requests: int


def sum_of(spent: list[Spent]) -> Spent:
    """The sum of them all."""
    return Spent(sum(e.cpu for e in spent), sum(e.faults for e in spent), sum(e.wall for e in spent))


def read_lines(path: Path, dags: set[str]) -> tuple[list[Processes], list[Trigger]] | None:
    """The processes and triggers of these DAGs; None while a line is still missing."""
    if not path.exists():
        return None
    lines = [line for line in map(json.loads, path.read_text().splitlines()) if line.get("dag") in dags]
    of: dict[str, dict[str, Any]] = {"task": {}, "supervisor": {}}
    for line in lines:
        if line["kind"] in of:
            of[line["kind"]][line["ticket"]] = line
    if of["task"].keys() != of["supervisor"].keys():
        return None
    reported = {line["dag"] for line in lines}
    processes = [_processes(line, of["supervisor"][ticket]) for ticket, line in of["task"].items()]
    return (processes, [_trigger(line) for line in lines if line["kind"] == "trigger"]) if reported == dags else None


def _processes(task: dict[str, Any], supervisor: dict[str, Any]) -> Processes:
    requests = Counter(supervisor["counts"])["requests"]
    counts, imported = _counts(Counter(task["counts"])), task["imported"]
    return Processes(
        _kind(task["task"]), _parts(task, supervisor), **counts, supervisor_requests=requests, imported=imported
    )


def _parts(task: dict[str, Any], supervisor: dict[str, Any]) -> dict[str, Spent]:
    """Wall time of the supervisor is that until its fork: from there on the phases of the process follow each other."""
    phases = {name: Spent(*task["phases"].get(name, NOTHING)) for name in PHASES}
    own, before, fork, child = (Spent(*supervisor[name]) for name in ("self", "until fork", "fork", "child"))
    all_phases = sum_of(list(phases.values()))
    fork = fork._replace(wall=min(fork.wall, phases[BEGIN].wall))  # the new process may run before its supervisor
    phases[BEGIN] = phases[BEGIN]._replace(wall=phases[BEGIN].wall - fork.wall)
    end = child.since(all_phases)._replace(wall=own.wall - before.wall - all_phases.wall)
    return {SUPERVISOR: own.since(fork)._replace(wall=before.wall), FORK: fork, **phases, END: end}


def _trigger(line: dict[str, Any]) -> Trigger:
    return Trigger(_kind(line["task"]), line["wall"], **_counts(Counter(line["counts"])))


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in ("connections", "statements", "requests")}


def _kind(task: str) -> str:
    return re.sub(r"_\d+(?=\.)", "", task)
