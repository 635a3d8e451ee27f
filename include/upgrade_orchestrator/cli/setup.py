"""``python -m upgrade_orchestrator.cli.setup``: migrate our database and make the roles.

Idempotent: run it at every deploy.

``--tenant ID`` (as often as needed) also makes roles that are limited to that tenant.
"""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Run both steps; one clear line each."""
    tenants = _tenants()
    from upgrade_orchestrator.adapters.airflow.connections import database_url
    from upgrade_orchestrator.adapters.airflow.roles import make_roles
    from upgrade_orchestrator.adapters.postgres.migrate import migrate
    from upgrade_orchestrator.settings import Settings

    migrate(database_url(Settings.read().db_conn_id))
    print("upgrades: database is at the newest schema")
    try:
        print(f"upgrades: {make_roles(tenants)}")
    except ValueError as error:
        print(f"upgrades: {error}", file=sys.stderr)
        return 1
    return 0


def _tenants() -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m upgrade_orchestrator.cli.setup", description="database and roles")
    parser.add_argument("--tenant", action="append", default=[], help="also roles that are limited to this tenant")
    tenants: list[str] = parser.parse_args().tenant
    return tenants


if __name__ == "__main__":
    sys.exit(main())
