"""The bench's evaluation of the lines that its probe has written."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.costs.lines import END, FORK, SUPERVISOR, read_lines
from bench.probe.meter import Spent

DAG = "upgrade__one"
TASK: dict[str, Any] = {
    "kind": "task",
    "ticket": "7-1",
    "dag": DAG,
    "task": "batch_002.upgrade",
    "phases": {"begin": [1.0, 10, 4.0], "assigned": [2.0, 20, 3.0], "report": [3.0, 30, 1.0]},
    "counts": {"connections": 2, "statements": 60, "requests": 22},
    "imported": ["decimal"],
}
SUPERVISOR_OF_IT: dict[str, Any] = {
    "kind": "supervisor",
    "ticket": "7-1",
    "dag": DAG,
    "task": "batch_002.upgrade",
    "self": [5.0, 50, 20.0],
    "until fork": [0.5, 5, 2.0],
    "fork": [1.5, 15, 1.0],
    "child": [10.0, 100, 20.0],
    "counts": {"requests": 3},
}
TRIGGER: dict[str, Any] = {
    "kind": "trigger",
    "trigger": "WorkTrigger",
    "dag": DAG,
    "task": "verify",
    "counts": {"statements": 5},
    "wall": 1.5,
}


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "costs.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def test_parts_of_a_task_add_up_to_what_it_and_its_supervisor_used(tmp_path: Path) -> None:
    found = read_lines(write(tmp_path, TASK, SUPERVISOR_OF_IT), {DAG})
    assert found is not None
    ((process,), triggers) = found
    assert (process.task, triggers) == ("batch.upgrade", [])
    assert process.parts[SUPERVISOR] == Spent(3.5, 35, 2.0)
    assert process.parts[FORK] == Spent(1.5, 15, 1.0)
    assert process.parts["begin"] == Spent(1.0, 10, 3.0)
    assert process.parts[END] == Spent(4.0, 40, 10.0)
    assert process.total == pytest.approx(Spent(15.0, 150, 20.0))
    assert (process.statements, process.requests, process.supervisor_requests) == (60, 22, 3)


def test_cost_lines_are_not_read_before_every_supervisor_has_reported_its_task(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "nothing.jsonl", {DAG}) is None
    assert read_lines(write(tmp_path, TASK), {DAG}) is None
    assert read_lines(write(tmp_path, TASK, SUPERVISOR_OF_IT), {DAG, "upgrade__two"}) is None


def test_cost_includes_triggers_but_not_other_dags(tmp_path: Path) -> None:
    other = {**TRIGGER, "dag": "another"}
    found = read_lines(write(tmp_path, TRIGGER, other), {DAG})
    assert found is not None
    (trigger,) = found[1]
    assert (trigger.task, trigger.statements, trigger.connections, trigger.wall) == ("verify", 5, 0, 1.5)
