"""The tables of `python -m bench costs`, as Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from bench.costs.costs import PHASES_ARE_SEEN, Costs, Run, scheduler_itself
from bench.costs.lines import PARTS, Processes, sum_of
from bench.probe.meter import Spent
from local.airflow.settings import SCHEDULER, TRIGGERER

_NO_PHASES = (
    "Here a task starts in an interpreter of its own and CPU of ended children is not reported: there is no table "
    "of task processes, and what the components use is too little. Measure on Linux."
)
_NOTES = (
    "Means of a process; all of an upgrade: its processes together. supervisor: its CPU for the task, with the wall "
    "time before the fork; fork: its call; begin: in the new process, until Airflow's runner runs; assigned: until "
    "that knows its task; DAG: reading the file; prepare: until the operator's work; work: execute(); report: until "
    "the process's last word; end: what the kernel then does, and the wall time until the supervisor has seen it.",
    "Connections and statements: to the product's database; requests: to the fleet, supervisor's: to the API server; "
    "imported: modules that were not there at the fork.",
    "Components: CPU of living processes and ended children. at rest: seconds a second, over one turn in which Airflow "
    "reads all DAG files; an upgrade: what it adds. The scheduler's is without its workers' tasks, which are in "
    "the row of the task processes.",
)


_TRIGGERS = "triggerer: triggers of an upgrade"


@dataclass(frozen=True)
class Measure:
    """One of the tables of parts: its title with the unit, and how a number of it is formatted."""

    title: str
    show: Callable[[Spent], str]


CPU = Measure("CPU ms", lambda spent: f"{spent.cpu * 1000:.1f}")
FAULTS = Measure("minor page faults", lambda spent: f"{spent.faults:,.0f}")
WALL = Measure("wall ms", lambda spent: f"{spent.wall * 1000:.0f}")


def print_costs(costs: Costs, console: Console) -> None:
    """Print all tables, and how to read them."""
    for run, title in zip(costs.runs, _titles(costs.runs), strict=True):
        if PHASES_ARE_SEEN:
            console.print(_with_triggerer(parts_table(run, CPU, title), run, costs.rest[TRIGGERER]))
            for measure in (FAULTS, WALL):
                console.print(parts_table(run, measure, title))
            console.print(counts_table(run, title))
    console.print(components_table(costs))
    for line in _NOTES if PHASES_ARE_SEEN else (_NO_PHASES,):
        console.print(f"- {line}", highlight=False)


def parts_table(run: Run, measure: Measure, title: str) -> Table:
    """One row for each kind of task, one column for each part."""
    table = _table(f"{title}: {measure.title}", ("task process", "an upgrade", *PARTS, "all"))
    for task, found in _by_task(run):
        count = len(found) / run.jobs
        table.add_row(task, f"{count:g}", *(measure.show(each) for each in _parts(found, len(found))))
    total = [measure.show(each) for each in _parts(run.processes, run.jobs)]
    table.add_row("all of an upgrade", f"{len(run.processes) / run.jobs:g}", *total)
    return table


def _with_triggerer(table: Table, run: Run, at_rest: float) -> Table:
    cpu = Spent(run.an_upgrade(TRIGGERER, at_rest), 0, 0.0)
    table.add_row(_TRIGGERS, f"{len(run.triggers) / run.jobs:g}", *["–"] * len(PARTS), CPU.show(cpu))
    return table


def counts_table(run: Run, title: str) -> Table:
    """What a process of each kind asks for; the triggers of an upgrade have a row too, whichever task they belong
    to.
    """
    names = ("connections", "statements", "requests", "supervisor's requests", "modules imported")
    table = _table(f"{title}: what it asks for", ("task process", "an upgrade", *names))
    for task, found in _by_task(run):
        table.add_row(task, f"{len(found) / run.jobs:g}", *_counts(found, len(found)))
    table.add_row("all of an upgrade", f"{len(run.processes) / run.jobs:g}", *_counts(run.processes, run.jobs))
    rows = [[getattr(each, name) for name in names[:3]] for each in run.triggers]
    triggers = [f"{sum(column) / run.jobs:g}" for column in zip(*rows, strict=True)] or ["0", "0", "0"]
    table.add_row(_TRIGGERS, f"{len(run.triggers) / run.jobs:g}", *triggers, "–", "–")
    return table


def components_table(costs: Costs) -> Table:
    """What the components use at rest, and what an upgrade adds."""
    table = _table("CPU of the components", ("component", "at rest s/s", *_titles(costs.runs)))
    for name, rest in costs.rest.items():
        of = scheduler_itself if name == SCHEDULER else lambda run, rest, name=name: run.an_upgrade(name, rest)
        table.add_row(name, f"{rest:.3f}", *(_seconds(of(run, rest)) for run in costs.runs))
    table.add_row("task processes, supervisors", "–", *(_seconds(run.of_processes()) for run in costs.runs))
    totals = [sum(run.an_upgrade(name, rest) for name, rest in costs.rest.items()) for run in costs.runs]
    table.add_row("all", f"{sum(costs.rest.values()):.3f}", *map(_seconds, totals))
    return table


def _seconds(cpu: float) -> str:
    """Rounded seconds. Where an upgrade adds nothing the result may be slightly negative; -0.00 is avoided."""
    return f"{round(cpu, 2) + 0.0:.2f}"


def _titles(runs: Sequence[Run]) -> list[str]:
    _, many = runs
    return ["one upgrade alone", f"{many.jobs} at once, an upgrade"]


def _by_task(run: Run) -> list[tuple[str, list[Processes]]]:
    kinds = dict.fromkeys(each.task for each in run.processes)
    return [(kind, [each for each in run.processes if each.task == kind]) for kind in sorted(kinds)]


def _parts(found: Sequence[Processes], by: int) -> list[Spent]:
    columns = [[each.parts[name] for each in found] for name in PARTS] + [[each.total for each in found]]
    sums = [sum_of(each) for each in columns]
    return [Spent(each.cpu / by, round(each.faults / by), each.wall / by) for each in sums]


def _counts(found: Sequence[Processes], by: int) -> list[str]:
    rows = [(e.connections, e.statements, e.requests, e.supervisor_requests, len(e.imported)) for e in found]
    return [f"{sum(column) / by:.1f}".removesuffix(".0") for column in zip(*rows, strict=True)]


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table
