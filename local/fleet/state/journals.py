"""The journals of an agent's fleets: a folder for each fleet."""

import shutil
from pathlib import Path
from typing import BinaryIO, cast

from local.fleet.state.journal import Journal

JOURNAL = "journal.jsonl"
_GONE = ".gone-"  # no fleet's name begins with a dot


class Journals:
    """All journals below the folder `state`.

    Lines go to the operating system at once, so they outlive the agent's death (not the machine's: no fsync).
    """

    def __init__(self, state: Path) -> None:
        self._state = state

    def names(self) -> list[str]:
        """The fleets that have a journal, after removing those whose removal was interrupted by the agent's death."""
        for directory in self._state.glob(f"{_GONE}*"):
            shutil.rmtree(directory)
        return sorted(each.name for each in self._state.iterdir() if (each / JOURNAL).exists())

    def open(self, name: str) -> Journal:
        """The fleet's journal, a new one when there is none."""
        directory = self._state / name
        directory.mkdir(parents=True, exist_ok=True)
        return Journal(cast(BinaryIO, (directory / JOURNAL).open("a+b", buffering=0)))

    def remove(self, name: str) -> None:
        """Remove the journal completely, even if the agent dies meanwhile."""
        gone = self._state / f"{_GONE}{name}"
        (self._state / name).rename(gone)
        shutil.rmtree(gone)
