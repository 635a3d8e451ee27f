"""What keeps an execution from going on, for the person who has to help (specification section 6, ``attention``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attention:
    """A problem that has been met at least twice in a row; ``code`` is for programs, ``since`` in UTC.

    ``tries`` is how often it had been met when this was written.
    """

    code: str
    since: datetime
    message: str
    tries: int
