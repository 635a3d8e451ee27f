"""The people of the end-to-end tests: one for each role, made once on the run's stack."""

import subprocess
import sys

from local.stack import Stack
from tests.shared_stack import ROOT

LIMITED_TENANT = "tinas-own"
USERS = {
    "vera": "Upgrade Viewer",
    "otto": "Upgrade Operator",
    "anna": "Upgrade Approver",
    "ursula": "Upgrade Admin",
    "tina": f"Upgrade Operator {LIMITED_TENANT}",
    "tom": "Upgrade Operator another-tenant",
    "user": "User",  # one of Airflow's own: it may answer questions there, and has no say in upgrades
}
PASSWORD = "only-for-this-test"
_MAKE_USERS = f"""
from include.upgrades.adapters.airflow.roles import make_roles
make_roles([{LIMITED_TENANT!r}, "another-tenant"])
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role in {USERS!r}.items():
        builder.sm.add_user(name, name, name, name + "@example.com", builder.sm.find_role(role), {PASSWORD!r})
"""


def make_users(stack: Stack) -> None:
    """Everybody in USERS, with PASSWORD."""
    done = subprocess.run(
        [sys.executable, "-c", _MAKE_USERS], cwd=ROOT, env=stack.env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
