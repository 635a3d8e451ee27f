"""How long hypothesis searches: quick by default, HYPOTHESIS_PROFILE=thorough for a night."""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=50, stateful_step_count=40, deadline=None)
settings.register_profile("thorough", max_examples=5000, stateful_step_count=150, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
