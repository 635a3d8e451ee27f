"""A fleet's log on disk: append-only JSON lines. It is also its memory: replaying the lines gives the fleet back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Journal:
    """The lines of one fleet, numbered from 1 (field `n`).

    Lines go to the operating system at once, so they outlive the agent's death (not the machine's: no fsync).
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b", buffering=0)
        self._starts: list[int] = []
        self._buffer: list[bytes] | None = None
        self._end = 0
        self._index()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def append(self, line: Line) -> None:
        """Number, date and write the line."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        encoded = json.dumps({"n": len(self._starts) + 1, "time": now, **line}).encode() + b"\n"
        self._starts.append(self._end)
        self._end += len(encoded)
        if self._buffer is None:
            self._file.write(encoded)
        else:
            self._buffer.append(encoded)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Lines appended inside are written in one piece: a call, its effect and its answer are kept or lost as one."""
        self._buffer = []
        try:
            yield
        finally:
            written, self._buffer = b"".join(self._buffer), None
            self._file.write(written)

    def since(self, number: int) -> bytes:
        """The lines after that number, as they are on disk."""
        if number >= len(self._starts):
            return b""
        self._file.seek(self._starts[number])
        return self._file.read(self._end - self._starts[number])

    def lines(self) -> Iterator[Line]:
        """Every line, decoded."""
        for line in self.since(0).splitlines():
            yield json.loads(line)

    def _index(self) -> None:
        """Find the lines; what follows the last line end was being written when the agent died, and is cut off."""
        self._file.seek(0)
        for line in self._file.read().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            self._starts.append(self._end)
            self._end += len(line)
        self._file.truncate(self._end)
