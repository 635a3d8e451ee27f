"""The table and the file of a bench run."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import BARE, PLAIN, Repetition, Result

_COUNTED = (
    "Seconds, medians. wall: until all are COMPLETED (bare Airflow: verify has ended); overhead: wall less the ideal "
    "(4 x 0.5 s of work and the delays); run ends: the DAG run with its last tasks.",
    "first task, first drain: after the start was answered (bare Airflow: its first batch).",
    "CPU: Airflow's four components, PostgreSQL and Kafka, all their processes and ended children, until the DAG run "
    "has ended; idle use is not taken off; asyncio: the bench's own process. The agent with its instances is apart.",
    "memory: PSS (RSS where there is none) at its peak less before, in runs of their own. "
    "x plain, x Airflow: wall (and CPU) over the same jobs' rows in this table.",
)


@dataclass(frozen=True)
class Report:
    """What was measured, and on which machine."""

    results: list[Result]
    repeat: int
    idle_cpu: float
    notes: list[str]

    def print(self, console: Console) -> None:
        """Print the table, and how to read it."""
        console.print(self._table())
        for line in (*self.notes, *_COUNTED, self._machine()):
            console.print(f"- {line}", highlight=False)

    def save(self, folder: Path) -> Path:
        """Write everything, each repetition included, as JSON."""
        return save(folder, "", self.dump())

    def dump(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "machine": machine(),
            "repeat": self.repeat,
            "idleCpuSecondsPerSecond": self.idle_cpu,
            "notes": self.notes,
            "rows": [each.dump() | {"ratios": self._ratios(each)} for each in self.results],
        }

    def _machine(self) -> str:
        return f"{self.repeat} repetitions, {machine_line()}; at rest {self.idle_cpu:.2f} CPU s/s"

    def _table(self) -> Table:
        table = Table(title="20 instances, batches of 5, 0.5 s each", title_justify="left")
        table.add_column("who", no_wrap=True)
        for name in _COLUMNS:
            table.add_column(name, justify="right")
        for before, each in zip([None, *self.results], self.results, strict=False):
            if before and _shape(before) != _shape(each):
                table.add_section()
            table.add_row(each.row.who, *self._cells(each))
        return table

    def _cells(self, each: Result) -> list[str]:
        row, ratios = each.row, self._ratios(each)
        figures = (row.ideal, each.wall, each.wall - row.ideal, *(each.median(of) for of in _FIGURES))
        counts = [str(row.jobs), str(row.delay), str(row.others)]
        memory = "–" if each.memory_added is None else f"{each.memory_added / 2**20:.0f} MB"
        return [*counts, *map(_number, figures), memory, *(_ratio(ratios[name]) for name in _RATIOS)]

    def _ratios(self, each: Result) -> dict[str, float | None]:
        plain, bare = self._same_jobs(each, PLAIN), self._same_jobs(each, BARE)
        return {
            "wall to plain": each.wall / plain.wall if plain else None,
            "wall to Airflow": each.wall / bare.wall if bare else None,
            "CPU to Airflow": each.cpu / bare.cpu if bare and each.row.who != PLAIN else None,
        }

    def _same_jobs(self, each: Result, who: str) -> Result | None:
        same = (other for other in self.results if other.row.who == who and _shape(other)[:2] == _shape(each)[:2])
        return next(same, None)


_COLUMNS = (
    *(
        "jobs",
        "delay",
        "others",
        "ideal",
        "wall",
        "overhead",
        "run ends",
        "first task",
        "first drain",
        "CPU s",
        "agent CPU s",
    ),
    *("memory", "wall x plain", "wall x Airflow", "CPU x Airflow"),
)
_RATIOS = ("wall to plain", "wall to Airflow", "CPU to Airflow")
_FIGURES: tuple[Callable[[Repetition], float | None], ...] = (
    lambda each: each.timing.run_end,
    lambda each: each.timing.first_task,
    lambda each: each.timing.first_drain,
    lambda each: each.cpu,
    lambda each: each.agent_cpu,
)


def save(folder: Path, suffix: str, dump: dict[str, Any]) -> Path:
    """Write a measurement as JSON to a file named by the time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{suffix}.json"
    path.write_text(json.dumps(dump, indent=2, ensure_ascii=False) + "\n")
    return path


def machine() -> dict[str, Any]:
    """The machine and versions that it was measured on."""
    return {"cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()}


def machine_line() -> str:
    """The same as a sentence."""
    return f"{os.cpu_count()} cores, load {' '.join(f'{each:.1f}' for each in os.getloadavg())}"


def _shape(result: Result) -> tuple[int, int, int]:
    return (result.row.jobs, result.row.delay, result.row.others)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
