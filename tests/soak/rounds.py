"""The rounds of a soak: how long each campaign runs, what seeds a round, and how to repeat one that failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

WEIGHTS = {"lifecycle": 7, "properties": 6, "crashes": 5, "outage": 25, "relay": 15, "kills": 30, "calls": 12}
"""Each campaign's share of the time, in the order in which they run: `tests/soak/test_<campaign>.py`.

Those that need the whole stack come last, so that it does not run beside the others. The one with the shortest rounds
is the very last: it gets what the others leave.
"""


@dataclass(frozen=True)
class Only:
    """One campaign, or one round of it."""

    campaign: str
    number: int | None = None

    @classmethod
    def of(cls, text: str) -> Only:
        """Read `kills` or `kills:7`.

        :raises ValueError: there is no such campaign or round.
        """
        campaign, _, number = text.partition(":")
        if campaign not in WEIGHTS:
            raise ValueError(f"no campaign {campaign!r}: there are {', '.join(WEIGHTS)}")
        return cls(campaign, int(number) if number else None)


@dataclass
class Round:
    """One round, to be entered with `with`; its test counts with `did` what was done in it."""

    soak: Soak
    campaign: str
    number: int
    actions: Counter[str] = field(default_factory=Counter)
    what: str = ""
    seconds: float = 0.0
    failed: bool = False

    def __post_init__(self) -> None:
        self.seed = Random(f"{self.soak.seed} {self.campaign} {self.number}").getrandbits(32)
        self.random = Random(self.seed)

    @property
    def name(self) -> str:
        return f"{self.campaign}:{self.number}"

    @property
    def is_repeated(self) -> bool:
        """Whether the round is repeated alone, to find out what failed in it."""
        return self.soak.only is not None and self.soak.only.number is not None

    @property
    def command(self) -> str:
        """The command that runs this round again, and nothing else."""
        return f"make soak SEED={self.soak.seed} ONLY={self.name}"

    def turn(self, options: Sequence[T]) -> T:
        """Choose one of them: each once before one comes again, in an order given by the soak's seed."""
        order = Random(f"{self.soak.seed} {self.campaign}").sample(options, len(options))
        return order[(self.number - 1) % len(order)]

    def did(self, what: str = "", **actions: int) -> None:
        """Count an action for the line of this round and the campaign's sum."""
        self.what = what or self.what
        self.actions.update(actions)

    def __enter__(self) -> Round:
        self._began = self.soak.clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.seconds = self.soak.clock() - self._began
        if error is not None:
            self.failed = True
            error.add_note(f"{self.name} (seed {self.seed}) failed; this repeats it: {self.command}")
        self.soak.end(self)

    def __str__(self) -> str:
        ending = f"FAILED, again with: {self.command}" if self.failed else "well"
        parts = [self.what, *counts_of(self.actions), f"{self.seconds:.0f} s", ending]
        return f"{self.name} (seed {self.seed}): {', '.join(filter(None, parts))}"


def counts_of(actions: Counter[str]) -> list[str]:
    return [f"{name} {number}" for name, number in actions.items()]


@dataclass
class Soak:
    """Divides the remaining seconds among the campaigns; the start of servers is not counted."""

    seed: int
    seconds: float
    only: Only | None = None
    say: Callable[[str], None] = print
    clock: Callable[[], float] = time.monotonic
    done: list[Round] = field(default_factory=list)

    def takes_part(self, campaign: str) -> bool:
        return self.only is None or self.only.campaign == campaign

    def rounds(self, campaign: str) -> Iterator[Round]:
        """At least one, and another as long as one like the longest so far would end in time.

        So only a first round, or one that is longer than all before it, can exceed the share.
        """
        if self.only is not None and self.only.number is not None:
            yield Round(self, campaign, self.only.number)
            return
        share, before = self._share(campaign), len(self.done)
        for number in count(1):
            yield Round(self, campaign, number)
            lasted = [each.seconds for each in self.done[before:]]
            if sum(lasted) + max(lasted) > share:
                return

    def _share(self, campaign: str) -> float:
        """The campaign's share of the remaining time, by its weight and those of the campaigns after it."""
        order = [each for each in WEIGHTS if self.takes_part(each)]
        still = order[order.index(campaign) :]
        left = self.seconds - sum(each.seconds for each in self.done)
        return left * WEIGHTS[campaign] / sum(WEIGHTS[each] for each in still)

    def end(self, ended: Round) -> None:
        """Record a finished round."""
        self.done.append(ended)
        self.say(str(ended))

    def summary(self) -> list[str]:
        """A line for each campaign that ran, and one for each round that failed."""
        lines = []
        for campaign in dict.fromkeys(each.campaign for each in self.done):
            rounds = [each for each in self.done if each.campaign == campaign]
            actions = sum((each.actions for each in rounds), Counter(rounds=len(rounds)))
            seconds = sum(each.seconds for each in rounds)
            lines.append(f"{campaign}: {', '.join(counts_of(actions))}, {seconds:.0f} s")
        return lines + [str(each) for each in self.done if each.failed]
