"""How much of the rules and use cases one batch runs through: functions, files, and changes from file to file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import upgrade_orchestrator

PACKAGE = Path(upgrade_orchestrator.__file__).parent
ROOMS = tuple(f"{PACKAGE / room}/" for room in ("domain", "service"))


@dataclass
class MainPath:
    """Counts during its `with` block; comprehensions and lambdas belong to the function that contains them."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    changes: int = 0
    _files: list[str] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        """The files of the functions."""
        return {file for file, _ in self.functions}

    def __enter__(self) -> MainPath:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if event not in ("call", "return") or name.startswith("<") or not file.startswith(ROOMS):
            return
        if event == "call":
            self.functions.add((file, frame.f_code.co_qualname))
            self._change_to(file)
            self._files.append(file)
        elif self._files:
            self._files.pop()
            self._change_to(file)

    def _change_to(self, file: str) -> None:
        self.changes += bool(self._files) and self._files[-1] != file
