"""The auth managers that Airflow may be served with: their settings, their users, and the code that makes those."""

import json
from dataclasses import dataclass, field
from pathlib import Path

PASSWORD = "only-for-this-test"

_FAB_USERS = {
    "victor": "Upgrade Viewer",
    "olga": "Upgrade Operator",
    "anna": "Upgrade Approver",
    "ursula": "Upgrade Admin",
    "nina": "Viewer",
    "tina": "Upgrade Operator 550e8400",
    "tom": "Upgrade Operator another-tenant",
}
_FAB_SET_UP = f"""
import sys
from local.airflow_setup import main
code = main()
from include.upgrades.adapters.airflow.roles import make_roles
make_roles(["550e8400", "another-tenant"])
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role in {_FAB_USERS!r}.items():
        builder.sm.add_user(name, name, name, name + "@example.com", builder.sm.find_role(role), {PASSWORD!r})
sys.exit(code)
"""

SIMPLE_USERS = {"vera": "viewer", "ulla": "user", "oscar": "op", "ada": "admin"}
_SIMPLE_SET_UP = """
import sys
for missing in ("airflow.providers.fab.auth_manager", "flask_appbuilder"):
    sys.modules[missing] = None
from airflow.utils import db
db.upgradedb()
from include.upgrades.setup import main
sys.argv = ["include.upgrades.setup"]
sys.exit(main())
"""
"As on a machine where FAB is not installed."


@dataclass(frozen=True)
class AuthManager:
    """What Airflow is told of one; ``set_up`` migrates both databases and makes the users that are kept there."""

    name: str
    path: str
    set_up: str
    simple_users: dict[str, str] = field(default_factory=dict)

    def settings(self, folder: Path) -> dict[str, str]:
        """Airflow's settings; the simple one's users are in them, their passwords in a file of ``folder``."""
        passwords = folder / "passwords.json"
        passwords.write_text(json.dumps(dict.fromkeys(self.simple_users, PASSWORD)))
        users = ",".join(f"{name}:{role}" for name, role in self.simple_users.items())
        return {
            "CORE__AUTH_MANAGER": self.path,
            "CORE__SIMPLE_AUTH_MANAGER_USERS": users,
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        }


FAB = AuthManager("fab", "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager", _FAB_SET_UP)
SIMPLE = AuthManager(
    "simple",
    "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    _SIMPLE_SET_UP,
    SIMPLE_USERS,
)
