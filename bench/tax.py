"""What the product costs those on the same Airflow who do not use it: the bare DAG with the product and without it.

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
"Bare DAGs at once."
ALONE, AT_ONCE = 7, 5
"Pairs of runs of one alone, and of many at once: two runs of the same differ by up to a quarter."
REST_SECONDS = 60.0
Tell = Callable[[str], None]


class StackWithoutProduct(BenchStack):
    """The bench's stack as somebody has it who never heard of the product: the bare DAG only."""

    suffix = "-without"
    bundles = BenchStack.bundles[1:]

    def env(self) -> dict[str, str]:
        """The stack's environment without what brings the product in."""
        env = super().env()
        env.pop("AIRFLOW__CORE__LAZY_LOAD_PLUGINS", None)
        return env | {"AIRFLOW__CORE__PLUGINS_FOLDER": str(self.layout.state / "no-plugins")}

    def _command(self, name: str) -> Command:
        """Airflow's on a Python without the product's package: its entry points would bring the plugin."""
        command = super()._command(name)
        if name not in AIRFLOW:
            return command
        python = make_bare_venv(self.layout.state / "without-product")
        return replace(command, argv=[str(python), *command.argv[1:]])


@dataclass(frozen=True)
class Side:
    """The bare DAG on one of the two: one run alone and many at once, and CPU seconds a second at rest."""

    alone: Result
    many: Result
    rest: float


@dataclass(frozen=True)
class Tax:
    """Both sides; the repetitions of the same place were made one after the other."""

    without: Side
    with_product: Side

    @property
    def rest(self) -> float:
        """CPU seconds a second that the product adds while nobody asks for anything."""
        return self.with_product.rest - self.without.rest

    @property
    def alone_wall(self) -> float:
        """How much longer one run takes with the product, in percent."""
        return _percent_more(self.without.alone, self.with_product.alone, _wall)

    @property
    def alone_cpu(self) -> float:
        """How much more CPU Airflow uses for one run with the product, in percent; what it uses at rest is in it."""
        return _percent_more(self.without.alone, self.with_product.alone, _cpu)

    @property
    def many_wall(self) -> float:
        """As `alone_wall`, of many at once."""
        return _percent_more(self.without.many, self.with_product.many, _wall)

    @property
    def many_cpu(self) -> float:
        """As `alone_cpu`, of many at once."""
        return _percent_more(self.without.many, self.with_product.many, _cpu)

    def table(self) -> Table:
        """The medians of both sides, and the median of what is between the two of a pair."""
        table = Table(title="somebody else's DAG on the same Airflow", title_justify="left")
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
        """As JSON."""
        sides = {"without": self.without, "with": self.with_product}
        dumped = {
            name: {"alone": side.alone.dump(), "many": side.many.dump(), "restCpuSecondsPerSecond": side.rest}
            for name, side in sides.items()
        }
        percent = {"aloneWall": self.alone_wall, "aloneCpu": self.alone_cpu, "manyWall": self.many_wall}
        return dumped | {"percentMore": percent | {"manyCpu": self.many_cpu}}


def measure_tax(tell: Tell) -> Tax:
    """On stacks of their own, which are stopped at the end."""
    with new_ground(), started(BenchStack, tell) as with_product, started(StackWithoutProduct, tell) as without:
        return measure_pairs(without, with_product, tell, Pairs(ALONE, MANY, AT_ONCE), REST_SECONDS)


@dataclass(frozen=True)
class Pairs:
    """How many pairs of runs: of one alone, and of ``jobs`` at once."""

    alone: int
    jobs: int
    at_once: int


def measure_pairs(without: World, with_product: World, tell: Tell, pairs: Pairs, rest_seconds: float) -> Tax:
    """The bare DAG alone, both stacks at rest, and the bare DAG many times at once."""
    worlds = (without, with_product)
    alone = _pairs(worlds, Row(BARE), pairs.alone, tell)
    tell(f"measuring: at rest for {rest_seconds:g} s")
    rest = idle_cpus(worlds, rest_seconds)
    many = _pairs(worlds, Row(BARE, jobs=pairs.jobs), pairs.at_once, tell)
    return Tax(*(Side(*each) for each in zip(alone, many, rest, strict=True)))


def _pairs(worlds: Sequence[World], row: Row, repeat: int, tell: Tell) -> list[Result]:
    """One after the other, who comes first by turns: what only grows with time then falls on both alike."""
    found: list[list[Repetition]] = [[] for _ in worlds]
    for number in range(repeat):
        tell(
            f"measuring: pair {number + 1} of {repeat}: {row.who}, {row.jobs} at once, without the product and with it"
        )
        pair = list(zip(worlds, found, strict=True))
        for world, kept in reversed(pair) if number % 2 else pair:
            kept.extend(measure_time(world, row, 1).repetitions)
    return [Result(row, each) for each in found]


def both_stacks() -> list[Stack]:
    """Of the bench: with the product, and without it."""
    return [bench_stack(kind) for kind in (BenchStack, StackWithoutProduct)]


@contextmanager
def new_ground() -> Iterator[None]:
    """The bench's stacks without anything of before; all of it is stopped at the end.

    Raises:
        LocalError: one runs.
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
def started(kind: type[BenchStack], tell: Tell) -> Iterator[World]:
    """The stack of that kind, once it has read the bare DAG; of several pairs of runs a cold first one does not count.

    At the end Airflow is killed: there is nothing that it could lose, and its orderly end takes as long as a start.
    """
    stack = bench_stack(kind)
    tell(f"starting Airflow {'without' if kind is StackWithoutProduct else 'with'} the product")
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
