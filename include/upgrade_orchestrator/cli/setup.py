"""``airflow upgrades setup``: migrates our database and creates the roles. Idempotent; run it at every deploy.

``python -m upgrade_orchestrator.cli.setup`` does the same if the package is copied and not installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from upgrade_orchestrator.cli.context import act_as_server


def set_up(tenants: Sequence[str] = ()) -> int:
    """Run both steps, also creating roles limited to each of ``tenants``; prints a line each, returns 1 on failure."""
    act_as_server()
    from airflow.sdk.exceptions import AirflowException
    from sqlalchemy.exc import DBAPIError

    from upgrade_orchestrator.adapters.airflow.auth.roles import make_roles
    from upgrade_orchestrator.adapters.airflow.connections import database_url
    from upgrade_orchestrator.adapters.postgres.migrate import migrate
    from upgrade_orchestrator.settings import Settings

    try:
        left = migrate(database_url(Settings.read().db_conn_id))
        print("upgrades: database is at the newest schema")
        for each in left:
            print(f"upgrades: warning: {each}")
        print(f"upgrades: {make_roles(tenants)}")
    except (ValueError, AirflowException) as error:
        return _refused(str(error))
    except DBAPIError as error:
        return _refused(f"the database cannot be used: {str(error.orig).strip()}")
    return 0


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
