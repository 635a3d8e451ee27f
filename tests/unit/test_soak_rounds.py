"""How a soak shares out its time, seeds its rounds and names the one that failed."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.soak.rounds import WEIGHTS, Only, Soak

SOAK = Path(__file__).resolve().parents[1] / "soak"


@dataclass
class Watch:
    """A clock that the test moves, and the printed lines."""

    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def soak(self, seed: int = 1, seconds: float = 100.0, only: Only | None = None) -> Soak:
        return Soak(seed, seconds, only, self.said.append, lambda: self.now)

    def go(self, soak: Soak, campaign: str, *seconds: float) -> list[int]:
        """The seeds of the campaign's rounds, which last so long: the last of these times again and again."""
        seeds: list[int] = []
        for each in soak.rounds(campaign):
            with each:
                self.now += seconds[min(len(seeds), len(seconds) - 1)]
                seeds.append(each.seed)
        return seeds


def test_weights_name_every_campaign() -> None:
    assert {path.stem.removeprefix("test_") for path in SOAK.glob("test_*.py")} == set(WEIGHTS)


def test_campaign_begins_no_round_that_would_overrun_its_share() -> None:
    watch, share = Watch(), 100 * WEIGHTS["lifecycle"] / sum(WEIGHTS.values())
    assert len(watch.go(watch.soak(), "lifecycle", share / 2.5)) == 2


def test_campaign_has_at_least_one_round_with_any_time() -> None:
    watch = Watch()
    assert len(watch.go(watch.soak(seconds=0), "lifecycle", 1000)) == 1


def test_campaigns_pass_their_unused_time_to_the_following_ones() -> None:
    watch = Watch()
    soak = watch.soak()
    for campaign in WEIGHTS:
        watch.go(soak, campaign, 1)
    assert watch.now == pytest.approx(100, abs=1)


def test_campaign_that_is_selected_alone_gets_all_the_time() -> None:
    watch = Watch()
    soak = watch.soak(only=Only.of("calls"))
    assert [soak.takes_part(each) for each in WEIGHTS] == [each == "calls" for each in WEIGHTS]
    assert len(watch.go(soak, "calls", 10)) == 10


def test_seeds_of_rounds_follow_from_the_seed_of_the_soak() -> None:
    watch = Watch()
    first, again, other = (watch.go(watch.soak(seed), "calls", 10) for seed in (1, 1, 2))
    assert first == again
    assert len({*first, *other}) == len(first) + len(other)


def test_round_that_is_repeated_alone_has_its_original_seed() -> None:
    watch = Watch()
    seeds = watch.go(watch.soak(), "calls", 3)
    assert watch.go(watch.soak(only=Only.of("calls:3")), "calls", 3) == [seeds[2]]


def test_rounds_use_every_option_before_one_is_repeated() -> None:
    watch, taken = Watch(), []
    for each in watch.soak(only=Only.of("kills")).rounds("kills"):
        with each:
            taken.append(each.turn("abcd"))
            watch.now += 12.5
    assert len(taken) == 8
    assert taken[:4] == taken[4:]
    assert set(taken) == set("abcd")


def test_round_that_fails_names_the_command_that_repeats_it() -> None:
    watch = Watch()
    soak = watch.soak(seed=42)
    turn = next(soak.rounds("kills"))
    turn.did("worker", kills=1)
    with pytest.raises(ZeroDivisionError) as caught, turn:
        _ = 1 // 0
    assert caught.value.__notes__ == [
        f"kills:1 (seed {turn.seed}) failed; this repeats it: make soak SEED=42 ONLY=kills:1"
    ]
    assert "worker, kills 1" in watch.said[0]
    assert "make soak SEED=42 ONLY=kills:1" in watch.said[0]


def test_summary_adds_up_the_rounds_of_each_campaign() -> None:
    watch = Watch()
    soak = watch.soak(only=Only.of("kills"))
    for each in soak.rounds("kills"):
        with each:
            each.did(kills=2, executions=5)
            watch.now += 10
    assert soak.summary() == ["kills: rounds 10, kills 20, executions 50, 100 s"]


@pytest.mark.parametrize("text", ["nights", "kills:x", ""])
def test_unknown_campaign_or_round_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Only.of(text)
