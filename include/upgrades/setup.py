"""``python -m include.upgrades.setup``: migrate our database and make the roles; idempotent, run at every deploy."""

from __future__ import annotations

import sys


def main() -> int:
    """Run both steps; one clear line each."""
    from include.upgrades.adapters.airflow.connections import database_url
    from include.upgrades.adapters.airflow.roles import make_roles
    from include.upgrades.adapters.postgres.migrate import migrate
    from include.upgrades.settings import Settings

    migrate(database_url(Settings.from_environment().db_conn_id))
    print("upgrades: database is at the newest schema")
    print(f"upgrades: {make_roles()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
