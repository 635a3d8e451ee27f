"""Airflow's set-up in one process, because every `airflow` command takes seconds to start.

`python -m local.airflow.setup PROJECT` in the stack's environment: metadata tables, FAB's roles, the admin user, the
pools, variables and connections of `airflow_settings.yaml`, then the product's own `upgrade_orchestrator.cli.setup`.
All of it may be repeated; the admin user's password is read from standard input. With `--without-product` the last
step is left out, which refuses an Airflow that does not have the product's DAG files.
"""

import importlib.util
import os
import runpy
import sys
from pathlib import Path

from airflow.models import Connection as ConnectionRow
from airflow.models import Pool as PoolRow
from airflow.models import Variable as VariableRow
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.utils import db
from airflow.utils.session import create_session

from local.airflow.settings import ADMIN
from local.airflow.settings_file import Connection, SettingsFile
from local.errors import LocalError

_PRODUCT = "upgrade_orchestrator.cli.setup"
WITHOUT_PRODUCT = "--without-product"


def main() -> int:
    """Run all of it; 1 and one line when the settings file or the product's set-up fails."""
    try:
        settings = SettingsFile.read(Path(sys.argv[1]) / "airflow_settings.yaml")
        db.upgradedb()
        _make_admin(sys.stdin.readline().strip())
        _load(settings)
        if WITHOUT_PRODUCT not in sys.argv:
            _set_up_product()
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _make_admin(password: str) -> None:
    with get_application_builder() as builder:
        manager = builder.sm
        manager.sync_roles()
        user = manager.find_user(ADMIN)
        if user is None:
            role = manager.find_role("Admin")
            manager.add_user(ADMIN, "Local", "Admin", "admin@example.com", role, password)
        else:
            manager.reset_password(user.id, password)


def _load(settings: SettingsFile) -> None:
    for pool in settings.pools:
        PoolRow.create_or_update_pool(pool.name, slots=pool.slots, description=pool.description, include_deferred=False)
    for name, value in settings.variables.items():
        VariableRow.set(name, value)
    with create_session() as session:
        for connection in settings.connections:
            # A connection in the environment hides one of the list, which could then only mislead.
            if f"AIRFLOW_CONN_{connection.name.upper()}" not in os.environ:
                session.query(ConnectionRow).filter_by(conn_id=connection.name).delete()
                session.add(_row(connection))


def _row(connection: Connection) -> ConnectionRow:
    return ConnectionRow(
        conn_id=connection.name,
        conn_type=connection.kind,
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=connection.extra or None,
    )


def _set_up_product() -> None:
    if importlib.util.find_spec(_PRODUCT) is None:
        return
    sys.argv = [_PRODUCT]
    try:
        runpy.run_module(_PRODUCT, run_name="__main__")
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise LocalError(f"{_PRODUCT} failed: {ended.code}") from None


if __name__ == "__main__":
    raise SystemExit(main())
