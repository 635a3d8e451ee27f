"""The users of the end-to-end tests: one for each role, created and logged in once on the run's stack."""

import json
import subprocess
import sys

from local.airflow.health import request_token
from local.airflow.settings import ADMIN
from local.errors import LocalError
from local.stack.stack import Stack
from tests.e2e.steps import wait_for
from tests.shared_stack import ROOT, shared_folder

LIMITED_TENANT = "tinas-own"
USERS = {
    "vera": "Upgrade Viewer",
    "otto": "Upgrade Operator",
    "anna": "Upgrade Approver",
    "ursula": "Upgrade Admin",
    "tina": f"Upgrade Operator {LIMITED_TENANT}",
    "tom": "Upgrade Operator another-tenant",
    "user": "User",  # one of Airflow's own roles: it may answer questions there, but has no rights in upgrades
}
PASSWORD = "only-for-this-test"
TOKENS = "tokens.json"
_MAKE_USERS = f"""
from upgrade_orchestrator.adapters.airflow.auth.roles import make_roles
make_roles([{LIMITED_TENANT!r}, "another-tenant"])
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role in {USERS!r}.items():
        builder.sm.add_user(name, name, name, name + "@example.com", builder.sm.find_role(role), {PASSWORD!r})
"""


def prepare(stack: Stack) -> None:
    """Create all of USERS, and log them and the admin in once, because checking a password is slow."""
    done = subprocess.run(
        [sys.executable, "-c", _MAKE_USERS], cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    passwords = dict.fromkeys(USERS, PASSWORD) | {ADMIN: stack.credentials().admin_password}
    found = {name: _log_in(stack.port, name, password) for name, password in passwords.items()}
    (shared_folder() / TOKENS).write_text(json.dumps(found), encoding="utf-8")


def tokens() -> dict[str, str]:
    """Tokens by name, including the admin's."""
    found: dict[str, str] = json.loads((shared_folder() / TOKENS).read_text(encoding="utf-8"))
    return found


def _log_in(port: int, name: str, password: str) -> str:
    """A server that has just started on a busy machine may not answer in time at first."""

    def look() -> str | None:
        try:
            return request_token(port, name, password)
        except LocalError:
            return None

    return wait_for(f"a token of {name}", look)
