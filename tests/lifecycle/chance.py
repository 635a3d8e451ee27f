"""The choices of a lifecycle machine: made by hypothesis, which can shrink them, or drawn from a seed, which reach
further.

Hypothesis likes small and repeated choices; a life from a seed is drawn evenly, and many of them see more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

T = TypeVar("T")
Chance = st.DataObject | Random
CHANCE: st.SearchStrategy[Any] = st.data()
"A choice among values that are known only when the rule runs: see pick."

_choices: dict[int, tuple[Any, ...]] = {}


def one_of(*choices: T) -> st.SearchStrategy[T]:
    """A strategy whose values can be drawn from a seed as well."""
    made = st.sampled_from(choices).map(lambda each: each)
    _choices[id(made)] = choices
    return made


def pick(chance: Chance, choices: Sequence[T]) -> T:
    """Choose one of them."""
    return chance.choice(choices) if isinstance(chance, Random) else chance.draw(st.sampled_from(choices))


def draw(arguments: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """A value for every argument of a rule."""
    return {name: random if each is CHANCE else random.choice(_choices[id(each)]) for name, each in arguments.items()}


def rules_now(machine: RuleBasedStateMachine) -> list[Any]:
    """The rules whose preconditions hold now."""
    return [each for each in machine.rules if all(condition(machine) for condition in each.preconditions)]
