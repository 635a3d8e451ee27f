"""``airflow upgrades registry load FILE`` and ``export [FILE]``.

``python -m upgrade_orchestrator.cli.registry`` does the same if the package is copied and not installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from upgrade_orchestrator import bootstrap
from upgrade_orchestrator.cli.context import act_as_server
from upgrade_orchestrator.cli.database import own_database, why_unusable
from upgrade_orchestrator.cli.failure import CommandFailed
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.cli.registry.marked_yaml import Flaw, NotReadable, read_yaml
from upgrade_orchestrator.cli.registry.writing import text_of
from upgrade_orchestrator.domain.errors import Unavailable, UpgradeError, ValidationFailed
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import load_registry, read_registry
from upgrade_orchestrator.settings import Settings

T = TypeVar("T")
RESET_CURRENT = (
    "set currentVersionId and mixed of registered deployments to what FILE says, whatever upgrades have done"
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns 0 on success, 1 after printing one line per problem, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="airflow upgrades registry", description="the registry as a file")
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="load FILE into the registry, all or nothing")
    loading.add_argument("file", metavar="FILE", help="YAML; - is standard input")
    loading.add_argument("--reset-current", action="store_true", help=RESET_CURRENT)
    exporting = commands.add_parser("export", help="write the registry to FILE, or to standard output")
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-")
    given = parser.parse_args(arguments)
    try:
        print(load(given.file, given.reset_current) if given.command == "load" else export(given.file), end="")
    except CommandFailed as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


def load(file: str, reset_current: bool = False) -> str:
    """Load the file and return a summary; ``reset_current``: the file also says what registered deployments run.

    :raises CommandFailed: the file cannot be read or has mistakes; nothing was loaded.
    """
    name, text = ("standard input", _standard_input()) if file == "-" else (file, _read(Path(file)))
    try:
        marked = read_yaml(text)
    except NotReadable as error:
        raise _refusal(name, list(error.flaws)) from None
    try:
        entries = entries_in(marked.value if marked.value is not None else {})
        done = _run(lambda ports: load_registry(ports, entries, reset_current=reset_current))
    except ValidationFailed as error:
        raise _refusal(name, [Flaw(marked.line_of(path), path, message) for path, message in _errors(error)]) from None
    except UpgradeError as error:
        raise CommandFailed(f"{name}: {error.detail}\n{name}: nothing was loaded") from None
    for each in done.warnings:
        print(f"{name}:{marked.line_of(each.field)}: warning: {each.field}: {each.message}", file=sys.stderr)
    return f"{name}: {done}\n"


def export(file: str) -> str:
    """Return the text for standard output, or write the file and return a summary.

    :raises CommandFailed: the registry cannot be read, or the file cannot be written.
    """
    try:
        entries = _run(read_registry)
    except UpgradeError as error:
        raise CommandFailed(f"export: {error.detail}") from None
    if file == "-":
        return text_of(entries)
    try:
        Path(file).write_text(text_of(entries), encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be written: {error.strerror}") from None
    return f"{file}: {len(entries)} exported\n"


def _run(use_case: Callable[[Ports], Awaitable[T]]) -> T:
    """:raises CommandFailed: the database cannot be used."""
    from sqlalchemy.exc import DBAPIError

    conn_id = _db_conn_id()
    own_database(conn_id)
    try:
        return bootstrap.run(use_case)
    except DBAPIError as error:
        raise CommandFailed(why_unusable(conn_id, error)) from None
    except Unavailable as error:
        if isinstance(error.__cause__, DBAPIError):
            raise CommandFailed(why_unusable(conn_id, error.__cause__)) from None
        raise


def _db_conn_id() -> str:
    try:
        return Settings.read().db_conn_id
    except ValueError as error:
        raise CommandFailed(str(error)) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path}: is not UTF-8 at byte {error.start}") from None


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"standard input: is not UTF-8 at byte {error.start}") from None


def _errors(error: ValidationFailed) -> list[tuple[str, str]]:
    found = error.extra["errors"]
    assert isinstance(found, list)
    return [(each["field"], each["message"]) for each in found]


def _refusal(name: str, flaws: list[Flaw]) -> CommandFailed:
    ordered = sorted(flaws, key=lambda flaw: (flaw.line, flaw.field))
    lines = [": ".join(part for part in (f"{name}:{each.line}", each.field, each.message) if part) for each in ordered]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return CommandFailed("\n".join([*lines, f"{name}: nothing was loaded ({count})"]))


if __name__ == "__main__":
    act_as_server()
    sys.exit(main())
