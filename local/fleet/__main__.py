"""Command line: python -m local.fleet --port P --token T --state DIR [--fleet name:size:version ...]."""

import argparse
import asyncio
import fcntl
import os
import signal
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from local.fleet.agent.agent import Agent
from local.fleet.http.server import Server, application
from local.fleet.refusal import Refusal
from local.fleet.settings import Settings, checked_name
from local.fleet.state.journals import Journals

_HOST = "127.0.0.1"
_CANNOT_START = 2


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop, 1 when the zygote was lost, 2 when it cannot start."""
    parser = _parser()
    options = parser.parse_args()
    if not options.token:
        parser.error("--token or the environment variable FLEET_TOKEN is required")
    try:
        lock = _lock(options.state)
        listener = _bind(options.port)
        with lock, listener:
            return asyncio.run(_serve(options, listener))
    except (OSError, Refusal) as error:
        print(f"fleet agent: {error}", file=sys.stderr)
        return _CANNOT_START


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.fleet", description="A fleet agent with real processes.")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token", default=os.environ.get("FLEET_TOKEN"), help="or environment FLEET_TOKEN")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps the fleets")
    parser.add_argument("--fleet", type=_fleet, action="append", default=[], metavar="NAME:SIZE:VERSION")
    return parser


def _fleet(text: str) -> tuple[str, Settings]:
    try:
        name, size, version = text.split(":")
        return checked_name(name), Settings.read({"size": int(size), "version": version})
    except (ValueError, Refusal) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not name:size:version ({error})") from None


def _lock(state: Path) -> BinaryIO:
    """Allow one agent for each state folder; the lock is released when the process ends."""
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / ".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(f"another agent uses --state {state}") from None
    return lock


def _bind(port: int) -> socket.socket:
    # the protocol is given because asyncio disables Nagle's algorithm only then: it costs 40 ms a call
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for old connections
    try:
        listener.bind((_HOST, port))
        listener.listen(1024)
    except OSError as error:
        raise OSError(f"port {port} on {_HOST} cannot be used: {error.strerror}") from None
    return listener


async def _serve(options: argparse.Namespace, listener: socket.socket) -> int:
    lost: list[str] = []

    def ready() -> None:
        port = listener.getsockname()[1]
        print(f"fleet agent ready on http://{_HOST}:{port}: {len(agent.fleets())} fleets", flush=True)

    def stop(reason: str = "") -> None:
        server.should_exit = True
        if reason:
            lost.append(reason)
            print(f"fleet agent: {reason}", file=sys.stderr)

    lost_helper = "the helper that holds the instances was killed; start the agent again"
    agent = Agent(Journals(options.state), lambda: stop(lost_helper))
    server = Server(application(agent, options.token), ready, agent.release)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await agent.open()
        for name, settings in options.fleet:
            await agent.create_if_missing(name, settings)
        await server.serve([listener])
    finally:
        await agent.close()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
