"""Looks for a life that breaks a rule: by hypothesis, which can shrink it, or drawn evenly from a seed."""

from random import Random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lifecycle.bench import Bench
from tests.lifecycle.machine import live, machine_on


def search(bench: Bench, examples: int, from_seed: int | None = None, shrink: bool = False) -> None:
    """Run that many examples of hypothesis: those of the seed, or without one always the same. Shrinking takes
    minutes.
    """
    machine = machine_on(bench)
    run_state_machine_as_test(
        machine if from_seed is None else seed(from_seed)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            derandomize=from_seed is None,
            database=None,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            print_blob=True,
        ),
    )


def live_from(bench: Bench, from_seed: int) -> None:
    """Run one life drawn from the seed; when it breaks a rule, the error lists its steps."""
    steps: list[str] = []
    try:
        live(machine_on(bench)(), Random(from_seed), steps)
    except BaseException as error:
        error.add_note("\n".join([f"the life from seed {from_seed}:", *steps]))
        raise
