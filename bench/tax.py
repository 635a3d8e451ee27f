"""What the product costs other teams on the same Airflow: the bare DAG with the product and without it.

Two stacks run side by side, of the same settings: also of those that the upgrades need, such as the scheduler's short
sleep, or the difference would be the setting's. Without the product its package is not installed: there is no plugin,
no DAG of it, and so no control loops and no relay; and plugins are loaded when they are first needed, as by default,
since loading them at the start serves ours only.

The bare DAG runs on one and then on the other, again and again. A machine's speed changes by a quarter within minutes,
so each run is compared with the one beside it, and of those ratios the median counts.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from bench.jobs.bare_airflow import wait_parsed
from bench.measure import BARE, Repetition, Result, Row, idle_cpus, measure_time
from bench.stack.world import BenchStack, World, bench_stack
from local.errors import LocalError
from local.stack.bare_venv import make_bare_venv
from local.stack.components import AIRFLOW
from local.stack.stack import Stack
from local.supervisor.processes import Command

MANY = 20
"How many bare DAGs run at once."
ALONE, AT_ONCE = 7, 5
"How many pairs of runs: of one alone, and of many at once. Two equal runs differ by up to a quarter."
REST_SECONDS = 60.0
Progress = Callable[[str], None]


class StackWithoutProduct(BenchStack):
    """The bench's stack as it would be without the product: the bare DAG only."""

    suffix = "-without"
    bundles = BenchStack.bundles[1:]
    set_up = ("--without-product",)

    def env(self) -> dict[str, str]:
        """The stack's environment without the settings that bring the product in."""
        env = super().env()
        env.pop("AIRFLOW__CORE__LAZY_LOAD_PLUGINS", None)
        return env | {"AIRFLOW__CORE__PLUGINS_FOLDER": str(self.layout.state / "no-plugins")}

    def _command(self, name: str) -> Command:
        """Airflow's command with a Python that lacks the product's package, whose entry points would bring the
        plugin.
        """
        command = super()._command(name)
        if name not in AIRFLOW:
            return command
        python = make_bare_venv(self.layout.state / "without-product")
        return replace(command, argv=[str(python), *command.argv[1:]])


@dataclass(frozen=True)
class Side:
    """The bare DAG on one of the two stacks: one run alone, many at once, and CPU seconds a second at rest."""

    alone: Result
    many: Result
    rest: float


@dataclass(frozen=True)
class Tax:
    """Both sides; repetitions at the same index were made one after the other."""

    without: Side
    with_product: Side

    @property
    def rest(self) -> float:
        """CPU seconds a second that the product adds while there are no requests."""
        return self.with_product.rest - self.without.rest

    @property
    def alone_wall(self) -> float:
        """How much longer one run takes with the product, in percent."""
        return _percent_more(self.without.alone, self.with_product.alone, _wall)

    @property
    def alone_cpu(self) -> float:
        """How much more CPU Airflow uses for one run with the product, in percent; its use at rest is included."""
        return _percent_more(self.without.alone, self.with_product.alone, _cpu)

    @property
    def many_wall(self) -> float:
        """Like `alone_wall`, for many at once."""
        return _percent_more(self.without.many, self.with_product.many, _wall)

    @property
    def many_cpu(self) -> float:
        """Like `alone_cpu`, for many at once."""
        return _percent_more(self.without.many, self.with_product.many, _cpu)

    def table(self) -> Table:
        """The medians of both sides, and the median of the differences within the pairs."""
        table = Table(title="another team's DAG on the same Airflow", title_justify="left")
        table.add_column("what")
        for name in ("without the product", "with it", "more"):
            table.add_column(name, justify="right")
        without, with_product, jobs = self.without, self.with_product, self.without.many.row.jobs
        for what, before, after, more in (
            ("one run: wall s", without.alone.wall, with_product.alone.wall, self.alone_wall),
            ("one run: CPU s", without.alone.cpu, with_product.alone.cpu, self.alone_cpu),
            (f"{jobs} at once: wall s", without.many.wall, with_product.many.wall, self.many_wall),
            (f"{jobs} at once: CPU s", without.many.cpu, with_product.many.cpu, self.many_cpu),
        ):
            table.add_row(what, f"{before:.2f}", f"{after:.2f}", f"{more:+.1f} %")
        table.add_row("at rest: CPU s/s", f"{without.rest:.3f}", f"{with_product.rest:.3f}", f"{self.rest:+.3f}")
        return table

    def dump(self) -> dict[str, Any]:
        """The tax as JSON."""
        sides = {"without": self.without, "with": self.with_product}
        dumped = {
            name: {"alone": side.alone.dump(), "many": side.many.dump(), "restCpuSecondsPerSecond": side.rest}
            for name, side in sides.items()
        }
        percent = {"aloneWall": self.alone_wall, "aloneCpu": self.alone_cpu, "manyWall": self.many_wall}
        return dumped | {"percentMore": percent | {"manyCpu": self.many_cpu}}


def measure_tax(progress: Progress) -> Tax:
    """Measure on two stacks of their own, which are stopped at the end."""
    with new_ground(), started(BenchStack, progress) as with_product, started(StackWithoutProduct, progress) as without:
        return measure_pairs(without, with_product, progress, Pairs(ALONE, MANY, AT_ONCE), REST_SECONDS)


@dataclass(frozen=True)
class Pairs:
    """How many pairs of runs: of one alone, and of ``jobs`` at once."""

    alone: int
    jobs: int
    at_once: int


def measure_pairs(without: World, with_product: World, progress: Progress, pairs: Pairs, rest_seconds: float) -> Tax:
    """Run the bare DAG alone, leave both stacks at rest, and run the bare DAG many times at once."""
    worlds = (without, with_product)
    alone = _pairs(worlds, Row(BARE), pairs.alone, progress)
    progress(f"measuring: at rest for {rest_seconds:g} s")
    rest = idle_cpus(worlds, rest_seconds)
    many = _pairs(worlds, Row(BARE, jobs=pairs.jobs), pairs.at_once, progress)
    return Tax(*(Side(*each) for each in zip(alone, many, rest, strict=True)))


def _pairs(worlds: Sequence[World], row: Row, repeat: int, progress: Progress) -> list[Result]:
    """Run on one stack and then on the other, each first by turns: growth over time then falls on both alike."""
    found: list[list[Repetition]] = [[] for _ in worlds]
    for number in range(repeat):
        progress(
            f"measuring: pair {number + 1} of {repeat}: {row.who}, {row.jobs} at once, without the product and with it"
        )
        pair = list(zip(worlds, found, strict=True))
        for world, kept in reversed(pair) if number % 2 else pair:
            kept.extend(measure_time(world, row, 1).repetitions)
    return [Result(row, each) for each in found]


def both_stacks() -> list[Stack]:
    """The bench's two stacks: with the product, and without it."""
    return [bench_stack(kind) for kind in (BenchStack, StackWithoutProduct)]


@contextmanager
def new_ground() -> Iterator[None]:
    """The bench's stacks without anything of before; all of it is stopped at the end.

    :raises LocalError: one runs.
    """
    stacks = both_stacks()
    for each in stacks:
        if each.running():
            raise LocalError("a stack of the bench runs, of which this needs new ones: `python -m bench down` first")
        each.remove()
    try:
        yield
    finally:
        for each in stacks:
            each.down()


@contextmanager
def started(kind: type[BenchStack], progress: Progress) -> Iterator[World]:
    """A started stack of that kind that has read the bare DAG. No warm-up: of several pairs one cold run does not
    count.

    At the end Airflow is killed: it has nothing to lose, and an orderly end takes as long as a start.
    """
    stack = bench_stack(kind)
    progress(f"starting Airflow {'without' if kind is StackWithoutProduct else 'with'} the product")
    try:
        stack.up()
        world = World(stack)
        wait_parsed(world)
        yield world
    finally:
        for each in AIRFLOW:
            stack.kill(each)


Figure = Callable[[Repetition], float]


def _wall(repetition: Repetition) -> float:
    return repetition.timing.wall


def _cpu(repetition: Repetition) -> float:
    return repetition.cpu


def _percent_more(before: Result, after: Result, figure: Figure) -> float:
    pairs = zip(before.repetitions, after.repetitions, strict=True)
    return (statistics.median(figure(one) / figure(other) for other, one in pairs) - 1) * 100
