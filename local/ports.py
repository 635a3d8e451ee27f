"""The TCP ports of the stack: free ones are picked once and remembered, and replaced if something else takes them."""

import json
import secrets
import socket
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from local.errors import LocalError
from local.files import read_or_none, write_whole

HOST = "127.0.0.1"
PICKED = ("postgres", "kafka", "agent")
_NEVER_GIVEN = range(20_000, 32_768)
"Linux gives a connection without a port of its own one from 32768, other systems from 49152."


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1. A person chooses only `api` (`PORT`)."""

    api: int
    postgres: int
    kafka: int
    agent: int

    @classmethod
    def remembered(cls, path: Path) -> "Ports | None":
        """The ports of the last start; None before the first."""
        try:
            return cls(**json.loads(read_or_none(path) or ""))
        except (ValueError, TypeError):
            return None

    @classmethod
    def choose(cls, path: Path, api: int, in_use: Collection[str] = ()) -> "Ports":
        """The remembered ports where they are free (or `in_use` by our own processes), other free ones otherwise."""
        known = cls.remembered(path) or cls(api, 0, 0, 0)
        chosen = replace(known, api=api)
        for name in PICKED:
            port = getattr(known, name)
            if name not in in_use and (port == 0 or is_busy(port)):
                chosen = replace(chosen, **{name: free_port()})
        write_whole(path, json.dumps(asdict(chosen), indent=2))
        return chosen


def free_port() -> int:
    """A free port outside the range from which systems assign ports automatically.

    A port in that range may be assigned to any connection or fleet instance before the component listens, or while it
    is
    restarted.
    """
    while is_busy(port := secrets.choice(_NEVER_GIVEN)):
        pass
    return port


def is_busy(port: int) -> bool:
    """Whether something listens on the port: on 127.0.0.1 or on every address."""
    return answers(port) or not _can_bind(port)


def answers(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1 at the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def parse_port(text: str) -> int:
    """The value of PORT as a number.

    :raises LocalError: not a whole number from 1024 to 65535.
    """
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535:
        return int(text)
    raise LocalError(f"PORT is {text!r}: a whole number from 1024 to 65535 is needed")
