"""The ``airflow upgrades …`` commands; every start of ``airflow`` imports this module."""

from __future__ import annotations

import argparse
import sys

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand


def commands() -> list[CLICommand]:
    """The commands in the form that Airflow's parser takes."""
    tenant = Arg(("--tenant",), action="append", default=[], help="also create roles limited to this tenant")
    source = Arg(("file",), metavar="FILE", help="YAML; - is standard input")
    target = Arg(("file",), metavar="FILE", nargs="?", default="-", help="the file to write; - is standard output")
    reset = Arg(("--reset-current",), action="store_true", help="also set what registered deployments run")
    registry = (
        ActionCommand("load", "Load FILE into the registry, all or nothing", _load, (source, reset)),
        ActionCommand("export", "Write the registry to FILE, or to standard output", _export, (target,)),
    )
    return [
        GroupCommand(
            "upgrades",
            "Set up and examine the upgrade orchestrator, load and export its registry",
            (
                ActionCommand("setup", "Migrate the orchestrator's database and create its roles", _set_up, (tenant,)),
                ActionCommand("doctor", "Say what is wrong with the installation, and what to do", _examine, ()),
                GroupCommand("registry", "The component registry as a file", registry),
            ),
        )
    ]


def _set_up(given: argparse.Namespace) -> None:
    from upgrade_orchestrator.cli.setup import set_up

    sys.exit(set_up(given.tenant))


def _examine(_: argparse.Namespace) -> None:
    from upgrade_orchestrator.cli.doctor.__main__ import main

    sys.exit(main([]))


def _load(given: argparse.Namespace) -> None:
    _registry("load", given.file, *(["--reset-current"] if given.reset_current else []))


def _export(given: argparse.Namespace) -> None:
    _registry("export", given.file)


def _registry(*arguments: str) -> None:
    from upgrade_orchestrator.cli.context import act_as_server
    from upgrade_orchestrator.cli.registry.__main__ import main

    act_as_server()
    sys.exit(main(list(arguments)))
