"""How long hypothesis searches. A little and always the same, or in a round of the soak as its seed says.

The soak (campaign `properties`) stores no examples of its own, so that the seed alone says which are made.
"""

from hypothesis import settings

from tests.effort import EFFORT, EXAMPLES

settings.register_profile(
    "ours",
    max_examples=EXAMPLES[EFFORT],
    stateful_step_count=60 if EFFORT == "soak" else 40,
    deadline=None,
    derandomize=EFFORT != "soak",
    database=None,
)
settings.load_profile("ours")
