"""Where the time of one upgrade goes, task by task, from Airflow's own records.

`python -m bench breakdown` runs the reference job on the bench's own stack; `python -m bench breakdown EXECUTION_ID`
reads an upgrade of a stack that runs (`LOCAL_STATE` names its state folder, by default `.local`).
"""

import statistics
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import httpx
from rich.console import Console
from rich.table import Table

from bench.stack.clients import Json, answered

_PAGE = 100


@dataclass(frozen=True)
class TaskTimes:
    """One task's moments in seconds after the start was committed; None where Airflow has none (skipped tasks)."""

    task: str
    state: str
    tries: int
    scheduled: float | None
    queued: float | None
    running: float | None
    ended: float | None

    @classmethod
    def of(cls, row: Json, start: datetime) -> Self:
        """Read it from a task instance of Airflow's REST API."""
        moments = (row[name] for name in ("scheduled_when", "queued_when", "start_date", "end_date"))
        return cls(row["task_id"], str(row["state"]), row["try_number"], *(_after(each, start) for each in moments))

    @property
    def ran(self) -> bool:
        """Whether a worker ran it: Airflow gives skipped tasks an end and sometimes a start, but no queue time."""
        return None not in (self.queued, self.running, self.ended)


@dataclass(frozen=True)
class Breakdown:
    """The tasks of one upgrade, in the order in which they ran."""

    execution: Json
    dag_run: Json
    tasks: list[TaskTimes]

    def print(self, console: Console) -> None:
        """Print a table of moments and of gaps, and their sums."""
        console.print(self._table())
        for line in self._summary():
            console.print(line)

    def _table(self) -> Table:
        table = Table(title=f"upgrade {self.execution['id']}: seconds after its start", title_justify="left")
        table.add_column("task")
        table.add_column("state")
        for name in ("scheduled", "queued", "running", "ended", "sched→queue", "queue→run", "run→end"):
            table.add_column(name, justify="right")
        for each in self.tasks:
            moments = (each.scheduled, each.queued, each.running, each.ended)
            table.add_row(each.task, _state(each), *map(_text, (*moments, *_gaps(*moments))))
        return table

    def _summary(self) -> list[str]:
        start, ran = _time(self.execution["startedAt"]), [each for each in self.tasks if each.ran]
        completed, done = _after(self.execution["completedAt"], start), _after(self.dag_run["end_date"], start)
        made, began = _after(self.dag_run["queued_at"], start), _after(self.dag_run["start_date"], start)
        return [
            f"DAG run queued {_text(made)}, running {_text(began)}, ended {_text(done)}; "
            f"execution {self.execution['status']} {_text(completed)}",
            f"a task waits {_median([_gaps(e.queued, e.running)[0] for e in ran])} s in the queue (median), "
            f"the next is scheduled {_median(_hops(ran))} s after the one before has ended (median)",
        ]


def read_breakdown(registry: httpx.Client, airflow: httpx.Client, execution_id: str) -> Breakdown:
    """Read both APIs.

    :raises RuntimeError: there is no such execution, or no run of its DAG yet.
    """
    execution = answered(registry.get(f"/upgrades/{execution_id}"))
    if not execution["startedAt"]:
        raise RuntimeError(f"execution {execution_id} is {execution['status']}: it was not started")
    runs = f"/dags/{execution['dagId']}/dagRuns"
    found = answered(airflow.get(runs))["dag_runs"]
    if not found:
        raise RuntimeError(f"DAG {execution['dagId']} has no run yet")
    rows = _task_instances(airflow, f"{runs}/{found[0]['dag_run_id']}/taskInstances")
    tasks = [TaskTimes.of(row, _time(execution["startedAt"])) for row in rows]
    return Breakdown(execution, found[0], sorted(tasks, key=_order))


def _task_instances(airflow: httpx.Client, path: str) -> list[Json]:
    rows: list[Json] = []
    while True:
        page = answered(airflow.get(path, params={"limit": _PAGE, "offset": len(rows)}))["task_instances"]
        rows += page
        if len(page) < _PAGE:
            return rows


def _order(task: TaskTimes) -> tuple[float, str]:
    moments = [each for each in (task.scheduled, task.queued, task.running, task.ended) if each is not None]
    return (min(moments, default=float("inf")), task.task)


def _hops(ran: list[TaskTimes]) -> list[float | None]:
    """Seconds from the end of the latest task before it until a task was scheduled; tasks side by side count once."""
    hops: list[float | None] = []
    for each in ran:
        before = [other.ended for other in ran if other.ended is not None and other.ended <= (each.scheduled or 0)]
        if before and each.scheduled is not None:
            hops.append(each.scheduled - max(before))
    return hops


def _gaps(*moments: float | None) -> list[float | None]:
    pairs = zip(moments, moments[1:], strict=False)
    return [None if None in (one, other) else (other or 0) - (one or 0) for one, other in pairs]


def _median(values: list[float | None]) -> str:
    known = [each for each in values if each is not None]
    return _text(statistics.median(known) if known else None)


def _state(task: TaskTimes) -> str:
    return task.state if task.tries <= 1 else f"{task.state} (try {task.tries})"


def _text(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _after(text: str | None, start: datetime) -> float | None:
    return None if text is None else (_time(text) - start).total_seconds()
