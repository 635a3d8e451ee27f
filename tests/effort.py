"""How thoroughly `tests/unit` tests, by EFFORT: `edit` (after every edit), `test` (the whole suite) or `soak`."""

import os
from collections.abc import Sequence

EFFORT = os.environ.get("EFFORT", "test")
EXAMPLES = {"edit": 10, "test": 50, "soak": 100}
"The number of examples of each property."
_ONE_IN = 5


def some(numbers: range) -> Sequence[int]:
    """Seeds or moments: all of them, or one in five after an edit."""
    return numbers[::_ONE_IN] if EFFORT == "edit" else numbers
