"""Whatever an agent says: every execution ends in time, its place is free, and no order breaks a rule."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import EFFORT
from tests.labs.fuzz.agent import DEAD, Mood
from tests.labs.fuzz.life import Life, live
from upgrade_orchestrator.domain.execution.execution import Strategy

EXAMPLES = {"edit": 10, "test": 100, "soak": 2000}[EFFORT]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
COMMANDS = ["nothing", "nothing", "cancel_upgrade", "roll_back_upgrade", "pause_upgrade"]
LIVES = st.builds(
    Life,
    size=st.sampled_from([1, 2, 4, 8]),
    upgrade_seconds=st.sampled_from([0.1, 1.0, 4.0]),
    well_until_admitted=st.sampled_from([True, True, True, False]),
    fields=st.fixed_dictionaries(
        {
            "strategy": st.sampled_from(list(Strategy)),
            "batch_size": st.integers(1, 3),
            "batch_delay_seconds": st.integers(0, 2),
            "health_check_interval_seconds": st.integers(1, 3),
            "health_check_timeout_seconds": st.integers(1, 8),
            "max_unavailable_percentage": st.sampled_from([25, 50, 100]),
            "auto_rollback_enabled": st.booleans(),
            "failure_threshold": st.integers(1, 3),
            "soak_seconds": st.integers(0, 4),
            "undrain_foreign": st.booleans(),
        }
    ),
    moods=st.lists(
        st.builds(Mood, st.floats(0.5, 30), st.sampled_from([0.0, 0.0, 0.1, 0.3, 0.7, 1.0, DEAD])),
        min_size=1,
        max_size=4,
    ),
    pool=st.lists(JSON, min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
    command_at=st.floats(0, 60),
    command=st.sampled_from(COMMANDS),
    stale=st.booleans(),
    killed_after=st.sampled_from([None, None, 120.0]),
)


# faults 1 to 54, all at once
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(life=LIVES)
async def test_upgrade_ends_in_time_and_lets_go_whatever_its_agent_says(life: Life) -> None:
    await live(life)
