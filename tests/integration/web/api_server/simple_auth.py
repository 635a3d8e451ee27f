"""Airflow's default auth manager: its users, settings and set-up."""

import json
from pathlib import Path

PASSWORD = "only-for-this-test"
USERS = {"vera": "viewer", "ulla": "user", "oscar": "op", "ada": "admin"}
"By name, each with one of its four roles."
SET_UP = """
import sys
for missing in ("airflow.providers.fab.auth_manager", "flask_appbuilder"):
    sys.modules[missing] = None
from airflow.utils import db
db.upgradedb()
from upgrade_orchestrator.cli.setup import main
sys.argv = ["upgrade_orchestrator.cli.setup"]
sys.exit(main())
"""
"Migrates both databases, as on a machine where FAB is not installed."


def settings(folder: Path) -> dict[str, str]:
    """Airflow's: the users are in them, their passwords in a file of ``folder``."""
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
    return {
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }
