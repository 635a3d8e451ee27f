"""How long hypothesis searches: a little and always the same, or with HYPOTHESIS_PROFILE=soak as its seed says.

A round of the soak (campaign `properties`) runs all properties with that profile; it stores no examples of its own, so
that the seed alone says which are made.
"""

import os

from hypothesis import settings

settings.register_profile(
    "quick", max_examples=25, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
settings.register_profile("soak", max_examples=100, stateful_step_count=60, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
