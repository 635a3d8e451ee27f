"""``python -m include.upgrades.setup``: migrate our database and make the roles; idempotent, run at every deploy.

``--tenant ID`` (as often as needed) also makes roles that are limited to that tenant.
"""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Run both steps; one clear line each."""
    tenants = _tenants()
    from include.upgrades.adapters.airflow.connections import database_url
    from include.upgrades.adapters.airflow.roles import make_roles
    from include.upgrades.adapters.postgres.migrate import migrate
    from include.upgrades.settings import Settings

    migrate(database_url(Settings.from_environment().db_conn_id))
    print("upgrades: database is at the newest schema")
    try:
        print(f"upgrades: {make_roles(tenants)}")
    except ValueError as error:
        print(f"upgrades: {error}", file=sys.stderr)
        return 1
    return 0


def _tenants() -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m include.upgrades.setup", description="database and roles")
    parser.add_argument("--tenant", action="append", default=[], help="also roles that are limited to this tenant")
    tenants: list[str] = parser.parse_args().tenant
    return tenants


if __name__ == "__main__":
    sys.exit(main())
