"""``airflow upgrades setup``: migrates our database and creates the roles. Idempotent; run it at every deploy.

``python -m upgrade_orchestrator.cli.setup`` does the same if the package is copied and not installed.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from upgrade_orchestrator.cli.context import act_as_server
from upgrade_orchestrator.cli.database import own_database, why_unusable
from upgrade_orchestrator.cli.failure import CommandFailed
from upgrade_orchestrator.settings import Settings


def set_up(tenants: Sequence[str] = ()) -> int:
    """Run every step, also creating roles limited to each of ``tenants``; prints a line each.

    Returns 1 when a step failed; the others are carried out nevertheless.
    """
    act_as_server()
    try:
        settings = Settings.read()
    except ValueError as error:
        return _refused(str(error))
    steps = (partial(_database, settings.db_conn_id), partial(_roles, tenants), partial(_bundle, settings))
    return max([_carry_out(each) for each in steps])


def _carry_out(step: Callable[[], Iterator[str]]) -> int:
    try:
        for each in step():
            print(f"upgrades: {each}")
    except CommandFailed as error:
        return _refused(str(error))
    return 0


def _database(conn_id: str) -> Iterator[str]:
    from sqlalchemy.exc import DBAPIError

    from upgrade_orchestrator.adapters.postgres.migrate import migrate

    try:
        left = migrate(own_database(conn_id))
    except DBAPIError as error:
        raise CommandFailed(why_unusable(conn_id, error)) from None
    yield "database is at the newest schema"
    yield from (f"warning: {each}" for each in left)


def _roles(tenants: Sequence[str]) -> Iterator[str]:
    from sqlalchemy.exc import SQLAlchemyError

    from upgrade_orchestrator.adapters.airflow.auth.roles import make_roles

    try:
        with _quiet():
            made = make_roles(tenants)
        yield made
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    except SQLAlchemyError as error:
        why = f"Airflow's own database cannot be used ({type(error).__name__}), so that no role was made"
        raise CommandFailed(f"{why}: run the command with the configuration of your Airflow") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """FAB logs a line for each right that it makes, ninety the first time: what failed would scroll away."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _bundle(settings: Settings) -> Iterator[str]:
    from upgrade_orchestrator.adapters.airflow.checked_bundle import checked_bundle

    try:
        name = checked_bundle(settings.dag_bundle, settings.dags_folder)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    yield f"the DAG files are in the bundle {name}"


def _refused(why: str) -> int:
    print(f"upgrades: {why}", file=sys.stderr)
    return 1


def main() -> int:
    """The entry point of the module."""
    parser = argparse.ArgumentParser(prog="python -m upgrade_orchestrator.cli.setup", description="database and roles")
    parser.add_argument("--tenant", action="append", default=[], help="also create roles limited to this tenant")
    return set_up(parser.parse_args().tenant)


if __name__ == "__main__":
    sys.exit(main())
