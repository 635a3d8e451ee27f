"""The measurements: `python -m bench`, or with the names of some of them: see bench/README.md."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console

from bench.canaries.canaries import measure_canaries
from bench.canaries.report import CanaryReport
from bench.costs.costs import MeasuredStack, measure_costs
from bench.costs.report import print_costs
from bench.events.events import measure_events
from bench.jobs.bare_airflow import wait_parsed
from bench.jobs.breakdown import read_breakdown
from bench.jobs.project import run_project
from bench.load.crowd import HOW_THEY_REST, gather_paused
from bench.load.reads import dump, measure_reads, table_of, verdicts
from bench.load.view import measure_view
from bench.measure import BARE, PLAIN, PROJECT, Row, idle_cpu, measure
from bench.quick import checked_out, run_quick
from bench.report import Report, machine, save
from bench.stack.world import ROOT, World, bench_stack, tenant_names
from bench.tax import both_stacks, measure_tax
from local.errors import LocalError
from local.stack.stack import Stack

CANARIES = int(os.environ.get("CANARIES") or 100)
CROWD = int(os.environ.get("CROWD") or 1000)
MINUTES = float(os.environ.get("MINUTES") or 10)
REPEAT = int(os.environ.get("REPEAT") or 3)
_WARM_UPS = 2
_GROUPS = {
    "rolling": [Row(who, delay=delay) for delay in (0, 5) for who in (PROJECT, PLAIN, BARE)],
    "many": [Row(who, jobs=20) for who in (PROJECT, PLAIN, BARE)],
    "crowd": [Row(PROJECT), Row(PROJECT, others=CROWD)],
}
_console = Console(width=None if sys.stdout.isatty() else 190)


def main() -> int:
    """Run what was asked for. A problem is printed as one clear line, with exit code 1."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the stack is stopped then too
    try:
        return _run(options)
    except (LocalError, RuntimeError, httpx.HTTPError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    match options.what:
        case ["breakdown", *execution] if len(execution) < 2:
            return _breakdown(*execution)
        case ["up" | "down" as command]:
            return _up() if command == "up" else _down()
        case ["quick"]:
            return run_quick(_console, options.name or checked_out(), options.check, _progress)
    return _measure_all(options.what or [*_GROUPS, *_OWN_STACKS])


def _measure_all(names: list[str]) -> int:
    if unknown := [each for each in names if each not in _GROUPS and each not in _OWN_STACKS]:
        known = ", ".join([*_GROUPS, *_OWN_STACKS])
        raise RuntimeError(
            f"{' '.join(unknown)}: only {known} can be measured together; breakdown, up, down, quick alone"
        )
    groups = [each for each in names if each in _GROUPS]
    if groups:
        _measure(groups)
    return max((_OWN_STACKS[each]() for each in names if each in _OWN_STACKS), default=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="measures upgrades beside what they replace")
    together = ", ".join([*_GROUPS, *_OWN_STACKS])
    parser.add_argument("what", nargs="*", help=f"any of {together}; or one of quick, up, down, breakdown [EXECUTION]")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="quick: fail where a ratio has outgrown its last line"
    )
    parser.add_argument("--name", help="quick: what the line is called; else the commit")
    return parser


def _measure(groups: list[str]) -> int:
    rows = list(dict.fromkeys(row for name in groups for row in _GROUPS[name]))
    with _own_stack() as world:
        idle, notes, results = idle_cpu(world), [], []
        for row in rows:
            if row.others:
                crowd = gather_paused(world, row.others, _progress)
                notes.append(f"the {row.others} others: {HOW_THEY_REST}")
            _progress(f"measuring: {row.who}, {row.jobs} at once, delay {row.delay} s, {row.others} others")
            results.append(measure(world, row, REPEAT))
            if row.others:
                notes.append(f"after the measurement the others were: {crowd.resting(world)}")
        report = Report(results, REPEAT, idle, notes)
        report.print(_console)
        print(f"every repetition: {_shown(report.save(ROOT / 'bench' / 'results'))}")
    return 0


def _tax() -> int:
    measured = measure_tax(_progress)
    _console.print(measured.table())
    folder = ROOT / "bench" / "results"
    print(f"all of it: {_shown(save(folder, '-tax', {'machine': machine()} | measured.dump()))}")
    return 0


def _canaries() -> int:
    """On a stack of their own, so that what other measurements leave behind is not measured too."""
    with _own_stack() as world:
        report = CanaryReport(measure_canaries(world, CANARIES, _progress))
    report.print(_console)
    print(f"all of it: {_shown(report.save(ROOT / 'bench' / 'results'))}")
    return 0


def _costs() -> int:
    stack = bench_stack(MeasuredStack)
    if stack.running():
        raise RuntimeError("costs needs a stack of its own: `python -m bench down` first")
    with _own_stack(stack) as world:
        costs = measure_costs(world, REPEAT, _progress)
    print_costs(costs, _console)
    folder = ROOT / "bench" / "results"
    print(f"all of it: {_shown(save(folder, '-costs', {'machine': machine()} | costs.dump()))}")
    return 0


def _reads() -> int:
    with _own_stack() as world:
        readings = measure_reads(world, _progress)
    _console.print(table_of(readings))
    for name, value in verdicts(readings).items():
        print(f"- {name}: {value:.2f}")
    folder = ROOT / "bench" / "results"
    print(f"all of it: {_shown(save(folder, '-reads', {'machine': machine()} | dump(readings)))}")
    return 0


def _events() -> int:
    measured = measure_events(_progress)
    _console.print(measured.table())
    folder = ROOT / "bench" / "results"
    print(f"all of it: {_shown(save(folder, '-events', {'machine': machine()} | measured.dump()))}")
    return 0


def _view() -> int:
    with _own_stack() as world:
        measured = measure_view(world, MINUTES, _progress)
    _console.print(measured.table())
    folder = ROOT / "bench" / "results"
    print(f"all of it: {_shown(save(folder, '-view', {'machine': machine()} | measured.dump()))}")
    return 0


_OWN_STACKS = {
    "canaries": _canaries,
    "costs": _costs,
    "reads": _reads,
    "events": _events,
    "view": _view,
    "tax": _tax,
}


def _breakdown(execution: str | None = None) -> int:
    if execution is not None:
        state = os.environ.get("LOCAL_STATE")
        world = World(Stack.attach(ROOT, Path(state) if state else None))
        read_breakdown(world.registry, world.airflow, execution).print(_console)
        return 0
    with _own_stack() as world:
        world.reset(tenant_names(1))
        run = run_project(world, tenant_names(1), 0)()
        read_breakdown(world.registry, world.airflow, run.runs[0]).print(_console)
        print(f"from create to COMPLETED {run.wall:.2f} s, from start to the first drain {run.first_drain or 0:.2f} s")
    return 0


def _up() -> int:
    """Keep a bench stack that already runs and leave it running: for several measurements in a row."""
    stack = bench_stack()
    stack.up()
    print(f"the bench's stack runs at {stack.url}")
    return 0


def _down() -> int:
    for each in both_stacks():
        each.remove()
    return 0


@contextlib.contextmanager
def _own_stack(stack: Stack | None = None) -> Iterator[World]:
    """The bench's stack, warmed up: a new one that is stopped at the end, or the one that already runs, which stays
    up.
    """
    stack = stack or bench_stack()
    found = bool(stack.running())
    try:
        if not found:
            _progress("starting a stack of the bench's own")
            stack.remove()
            stack.up()
        yield _warmed_up(World(stack))
    finally:
        if not found:
            stack.down()


def _warmed_up(world: World) -> World:
    world.furnish()
    wait_parsed(world)
    for _ in range(_WARM_UPS):
        for row in (Row(PROJECT), Row(BARE)):
            _progress(f"warming up: {row.who}")
            row.prepare(world)
            row.run(world)
    return world


def _progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


if __name__ == "__main__":
    raise SystemExit(main())
