"""A fleet's journal: append-only JSON lines. Replaying them restores the fleet."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO

Line = dict[str, Any]


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Journal:
    """The lines of one fleet, numbered from 1 (field `n`), in a file that is read from and appended to."""

    def __init__(self, file: BinaryIO, now: Callable[[], datetime] = utc_now) -> None:
        self._file = file
        self._now = now
        self._starts: list[int] = []
        self._buffer: list[bytes] | None = None
        self._end = 0
        self._index()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def append(self, line: Line) -> None:
        """Number and date the line, and write it."""
        now = self._now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        encoded = json.dumps({"n": len(self._starts) + 1, "time": now, **line}).encode() + b"\n"
        self._starts.append(self._end)
        self._end += len(encoded)
        if self._buffer is None:
            self._file.write(encoded)
        else:
            self._buffer.append(encoded)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Lines appended in the block are written together: a call, its effect and its answer are kept or lost as
        one.
        """
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
        """Index the lines; anything after the last line end was being written when the agent died, and is cut off."""
        self._file.seek(0)
        for line in self._file.read().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            self._starts.append(self._end)
            self._end += len(line)
        self._file.truncate(self._end)
