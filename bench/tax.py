"""What the product costs those on the same Airflow who do not use it: the bare DAG with the product and without it.

Both are the same Airflow on the same database, Kafka and agent, with the same settings: also those that the upgrades
need, such as the scheduler's short sleep, or the difference would be the setting's. Without the product there is no
plugin, no DAG of it, and so nobody who runs the control loops and the relay; and plugins are loaded when they are first
needed, as by default, since loading them at the start serves ours only.

Of several repetitions the least is compared: what others do on the machine only ever adds.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.bare_airflow import run_bare, wait_parsed
from bench.measure import BARE, Result, Row, idle_cpu, measure_time
from bench.world import BenchStack, World, bench_stack
from local.components import AIRFLOW
from local.errors import LocalError

MANY = 20
"Bare DAGs at once."
REPEAT = 3
"Runs of one DAG alone."
TURN_SECONDS = 120.0
"In which Airflow reads every DAG file once."
Tell = Callable[[str], None]


class StackWithoutProduct(BenchStack):
    """The bench's stack as somebody has it who never heard of the product: the bare DAG only."""

    bundles = BenchStack.bundles[1:]

    def env(self) -> dict[str, str]:
        """The stack's environment without what brings the product in."""
        env = super().env()
        env.pop("AIRFLOW__CORE__LAZY_LOAD_PLUGINS", None)
        return env | {"AIRFLOW__CORE__PLUGINS_FOLDER": str(self.layout.state / "no-plugins")}


@dataclass(frozen=True)
class Side:
    """The bare DAG on one of the two: one run alone and many at once, and CPU seconds a second at rest."""

    alone: Result
    many: Result
    rest: float


@dataclass(frozen=True)
class Tax:
    """Both sides."""

    without: Side
    with_product: Side

    @property
    def rest(self) -> float:
        """CPU seconds a second that the product adds while nobody asks for anything."""
        return self.with_product.rest - self.without.rest

    @property
    def alone_wall(self) -> float:
        """How much longer one run takes with the product, in percent."""
        return _percent_more(_wall(self.without.alone), _wall(self.with_product.alone))

    @property
    def alone_cpu(self) -> float:
        """How much more CPU Airflow uses for one run with the product, in percent; what it uses at rest is in it."""
        return _percent_more(_cpu(self.without.alone), _cpu(self.with_product.alone))

    @property
    def many_wall(self) -> float:
        """As `alone_wall`, of many at once."""
        return _percent_more(_wall(self.without.many), _wall(self.with_product.many))

    @property
    def many_cpu(self) -> float:
        """As `alone_cpu`, of many at once."""
        return _percent_more(_cpu(self.without.many), _cpu(self.with_product.many))

    def table(self) -> Table:
        """Both sides, and what is between them."""
        table = Table(title="somebody else's DAG on the same Airflow", title_justify="left")
        table.add_column("what")
        for name in ("without the product", "with it", "more"):
            table.add_column(name, justify="right")
        without, with_product, jobs = self.without, self.with_product, self.without.many.row.jobs
        for what, before, after, more in (
            ("one run: wall s", _wall(without.alone), _wall(with_product.alone), self.alone_wall),
            ("one run: CPU s", _cpu(without.alone), _cpu(with_product.alone), self.alone_cpu),
            (f"{jobs} at once: wall s", _wall(without.many), _wall(with_product.many), self.many_wall),
            (f"{jobs} at once: CPU s", _cpu(without.many), _cpu(with_product.many), self.many_cpu),
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
    """Without, with, with and without: what grows or slows with time then falls on both alike."""
    kinds = (StackWithoutProduct, BenchStack, BenchStack, StackWithoutProduct)
    sides: list[Side] = []
    with new_ground():
        for kind in kinds:
            with started(kind, tell) as world:
                sides.append(measure_side(world, tell, MANY, 1, TURN_SECONDS))
    return Tax(_joined([sides[0], sides[3]]), _joined([sides[1], sides[2]]))


@contextmanager
def new_ground() -> Iterator[None]:
    """The bench's stack without anything of before; all of it is stopped at the end.

    Raises:
        LocalError: it runs.
    """
    stack = bench_stack()
    if stack.running():
        raise LocalError("the bench's stack runs, which here is started in two ways: `python -m bench down` first")
    stack.remove()
    try:
        yield
    finally:
        stack.down()


@contextmanager
def started(kind: type[BenchStack], tell: Tell) -> Iterator[World]:
    """The stack of that kind, its Airflow newly started and warmed up by one bare DAG.

    At the end Airflow is killed: there is nothing that it could lose, and its orderly end takes as long as a start.
    """
    stack = bench_stack(kind)
    tell(f"starting Airflow {'without' if kind is StackWithoutProduct else 'with'} the product")
    try:
        stack.up()
        world = World(stack)
        wait_parsed(world)
        run_bare(world, 1, 0)
        yield world
    finally:
        for each in AIRFLOW:
            stack.kill(each)


def measure_side(world: World, tell: Tell, jobs: int, repeat: int, rest_seconds: float) -> Side:
    """The bare DAG alone, nothing at all, and ``jobs`` bare DAGs at once, ``repeat`` times."""
    tell("measuring: one bare DAG alone")
    alone = measure_time(world, Row(BARE), REPEAT)
    tell(f"measuring: at rest for {rest_seconds:g} s")
    rest = idle_cpu(world, rest_seconds)
    tell(f"measuring: {jobs} bare DAGs at once")
    return Side(alone, measure_time(world, Row(BARE, jobs=jobs), repeat), rest)


def _joined(sides: Sequence[Side]) -> Side:
    rest = statistics.median(each.rest for each in sides)
    return Side(_pooled([each.alone for each in sides]), _pooled([each.many for each in sides]), rest)


def _pooled(results: Sequence[Result]) -> Result:
    return Result(results[0].row, [each for result in results for each in result.repetitions])


def _wall(result: Result) -> float:
    return min(each.timing.wall for each in result.repetitions)


def _cpu(result: Result) -> float:
    return min(each.cpu for each in result.repetitions)


def _percent_more(before: float, after: float) -> float:
    return (after / before - 1) * 100
