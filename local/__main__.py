"""The local stack's commands: `python -m local up | down | status | token | demo | seed FILE | export FILE`."""

import argparse
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from local.airflow.settings import ADMIN
from local.errors import LocalError
from local.ports import parse_port
from local.stack.components import POSTGRES
from local.stack.stack import Stack

_ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run the command. A problem is printed as one clear line on standard error, with exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m local", description="the Upgrade Orchestrator's local stack")
    parser.add_argument("command", choices=sorted([*_COMMANDS, *_OF_FILES]))
    parser.add_argument("file", nargs="?", default="", help="of seed and export: the registry as YAML")
    given = parser.parse_args()
    if given.file and given.command not in _OF_FILES:
        parser.error(f"{given.command} takes no file")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _interrupt)
    try:
        return _run(given.command, given.file)
    except KeyboardInterrupt:  # a second signal, while the first was being handled
        return _interrupted()


def _run(command: str, file: str) -> int:
    try:
        return _OF_FILES[command](file) if command in _OF_FILES else _COMMANDS[command]()
    except LocalError as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _interrupted()


def _interrupted() -> int:
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("local: interrupted; what was started has been stopped", file=sys.stderr)
    return 130


def up() -> int:
    """Start the stack and print where to find it."""
    stack = _stack()
    print("starting the local stack (about half a minute, the first time a little longer)", file=sys.stderr)
    began = time.monotonic()
    stack.up()
    print(f"Airflow is ready at {stack.url} ({time.monotonic() - began:.0f} s)")
    print(f"  user {ADMIN}, password in {_shown(stack.layout.secrets / 'admin_password')}")
    print("  TOKEN=$(make -s token) for the REST API under /api/v1/registry")
    print(f"  logs in {_shown(stack.layout.logs)}, stop with `make down`")
    return 0


def down() -> int:
    """Stop the stack."""
    _stack().down()
    return 0


def status() -> int:
    """Print which components run; 0 when all do."""
    stack = _stack()
    wanted, running = stack.wanted(), stack.running()
    for name in wanted:
        print(f"{name:14}{'running' if name in running else 'stopped'}")
    return 0 if set(wanted) <= set(running) else 1


def token() -> int:
    """Print a token of the admin user, and nothing else."""
    print(_stack().token())
    return 0


def demo() -> int:
    """Run the demonstration."""
    try:
        module = importlib.import_module("local.demo.demo")
    except ModuleNotFoundError as error:
        raise LocalError(f"the demonstration cannot run: {error}") from None
    return int(module.main(_stack()))


def seed(file: str) -> int:
    """Load a registry file into the stack's database."""
    return _registry("load", file)


def export(file: str) -> int:
    """Write the registry in the stack's database to a file."""
    return _registry("export", file)


def _registry(action: str, file: str) -> int:
    """Run the product's own command in the stack's environment."""
    if not file:
        raise LocalError("which file? FILE=registry.yaml is needed (docs/registry.md has one)")
    stack = _stack()
    if not stack.is_alive(POSTGRES):
        raise LocalError("the stack is not up: run `make up` first")
    command = [sys.executable, "-m", "upgrade_orchestrator.cli.registry", action, file]
    return subprocess.run(command, env=stack.env(), check=False).returncode


_COMMANDS = {"up": up, "down": down, "status": status, "token": token, "demo": demo}
_OF_FILES = {"seed": seed, "export": export}


def _stack() -> Stack:
    """The stack that runs, or the one to be started: LOCAL_STATE moves its folder, PORT its port."""
    state = Path(os.environ["LOCAL_STATE"]) if os.environ.get("LOCAL_STATE") else None
    attached = Stack.attach(_ROOT, state)
    chosen = os.environ.get("PORT")
    if chosen:
        return Stack(_ROOT, parse_port(chosen), state)
    return attached if attached.running() else Stack(_ROOT, state=state)


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Python only prints an exception that is raised in a destructor or callback: so the signal is sent again
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
