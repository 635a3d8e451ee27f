"""What `make bench-quick` measures in four minutes, all in one run: a line of the table "Over time"."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.measure import BARE, PLAIN, PROJECT, Result, Row, measure_time
from bench.over_time import Line, TableError, header, judge, last_line, least_of, side_by_side
from bench.report import Report, machine, save
from bench.stack.world import ROOT, BenchStack, World
from bench.tax import MANY, Pairs, Progress, StackWithoutProduct, Tax, measure_pairs, new_ground, started
from local.errors import LocalError

SOME = 5
"Bare DAGs at once on both sides of the tax: more tasks than Airflow has workers, but done within ten seconds."
REPEAT = 3
_SOME_REPEAT = 2
_ADDITIONS = 10_000_000
_REST_SECONDS = 5.0


@dataclass(frozen=True)
class Rows:
    """The same jobs, done by each of the three."""

    project: Result
    plain: Result
    bare: Result


@dataclass(frozen=True)
class Quick:
    """What was measured: one job alone, many at once, and another team's DAG with the product and without it."""

    machine: str
    alone: Rows
    many: Rows
    tax: Tax

    def report(self) -> Report:
        """The results as rows of the whole bench."""
        rows = [each for jobs in (self.alone, self.many) for each in (jobs.project, jobs.plain, jobs.bare)]
        notes = [f"asyncio and {MANY} at once: one repetition; no memory, which depends on what ran before"]
        return Report(rows, REPEAT, self.tax.with_product.rest, notes)

    def line(self, what: str) -> Line:
        """The line for the table over time."""
        alone, many, tax = self.alone, self.many, self.tax
        return Line(
            what=what,
            machine=self.machine,
            alone_wall_bare=alone.project.wall / alone.bare.wall,
            alone_wall_plain=alone.project.wall / alone.plain.wall,
            alone_cpu_bare=alone.project.cpu / alone.bare.cpu,
            first_drain=alone.project.median(lambda each: each.timing.first_drain),
            many_wall_bare=many.project.wall / many.bare.wall,
            many_wall_plain=many.project.wall / many.plain.wall,
            many_cpu_bare=many.project.cpu / many.bare.cpu,
            tax_alone_wall=tax.alone_wall,
            tax_alone_cpu=tax.alone_cpu,
            tax_some_wall=tax.many_wall,
            tax_some_cpu=tax.many_cpu,
            tax_at_rest=tax.rest,
            at_rest=tax.with_product.rest,
        )

    def dump(self) -> dict[str, Any]:
        """The measurement as JSON."""
        return self.report().dump() | {"additionsOnMachine": self.machine, "tax": self.tax.dump()}


def measure_quick(progress: Progress) -> Quick:
    """Upgrades come last, so that both sides of the tax have had none; the other Airflow is stopped by then."""
    additions = f"{os.cpu_count()} cores, {_seconds_to_add():.2f} s"
    with new_ground(), started(BenchStack, progress) as world:
        with started(StackWithoutProduct, progress) as other:
            tax = measure_pairs(other, world, progress, Pairs(REPEAT, SOME, _SOME_REPEAT), _REST_SECONDS)
        _warm_up(world, progress)
        project = _measure(world, Row(PROJECT), REPEAT, progress)
        alone = Rows(project, _measure(world, Row(PLAIN), 1, progress), tax.with_product.alone)
        many = Rows(*(_measure(world, Row(who, jobs=MANY), 1, progress) for who in (PROJECT, PLAIN, BARE)))
    return Quick(additions, alone, many, tax)


def run_quick(console: Console, name: str, check: Path | None, progress: Progress) -> int:
    """Measure and print; with ``check`` compare with the last line of that document's table, and return 1 if it is
    worse.

    One bad run decides nothing: it is measured once more, and the lesser of both counts.
    """
    last = _last_line_of(check) if check else None  # first: a malformed table must not cost minutes
    now = _measured(console, name, progress)
    if last is None or not _worse(console, now, last):
        return 0
    progress("once more, for one run may be disturbed")
    return 1 if _worse(console, least_of(now, _measured(console, name, progress)), last) else 0


def _measured(console: Console, name: str, progress: Progress) -> Line:
    began = time.monotonic()
    measured = measure_quick(progress)
    measured.report().print(console)
    console.print(measured.tax.table())
    path = save(ROOT / "bench" / "results", "-quick", {"machine": machine()} | measured.dump())
    now = measured.line(name)
    print(f"all of it, which took {time.monotonic() - began:.0f} s: {path}\n\n{header()}\n{now.markdown()}\n")
    return now


def _worse(console: Console, now: Line, last: Line) -> bool:
    console.print(side_by_side(now, last))
    worse = judge(now, last)
    for each in worse:
        print(f"bench: it has grown too much: {each}", file=sys.stderr)
    return bool(worse)


def _last_line_of(path: Path) -> Line:
    try:
        return last_line(path.read_text())
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    except TableError as error:
        raise LocalError(f"{path}: {error}") from None


def checked_out() -> str:
    """The commit that is measured, marked when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return f"`{found}`" if found else "no commit"


def _warm_up(world: World, progress: Progress) -> None:
    progress(f"warming up: {PROJECT}")
    world.furnish()
    row = Row(PROJECT)
    row.prepare(world)
    row.run(world)


def _measure(world: World, row: Row, repeat: int, progress: Progress) -> Result:
    progress(f"measuring: {row.who}, {row.jobs} at once")
    return measure_time(world, row, repeat)


def _seconds_to_add() -> float:
    """Seconds for ten million additions: how fast the machine is, and whether other processes use it."""
    began, total = time.perf_counter(), 0
    for number in range(_ADDITIONS):
        total += number
    return time.perf_counter() - began
