"""README.md: its call creates an upgrade exactly as written, and the make targets that it names exist."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from subprocess import CompletedProcess

import httpx

from local.stack.stack import DEFAULT_PORT, Stack
from tests.e2e.demo.test_seed_commands import seed
from tests.e2e.steps import wait_for
from tests.guides import code_blocks
from tests.shared_stack import ROOT

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = "".join(text for _, text in code_blocks(PAGE))
(CREATE,) = (text for _, text in code_blocks(PAGE) if text.startswith("curl"))
ACTIVE = "/tenants/550e8400/components/aaa-111/upgrades/active"


def test_call_in_the_readme_creates_an_upgrade(
    stack: Stack, command: Callable[..., "CompletedProcess[str]"], api: httpx.Client
) -> None:
    wait_for("an earlier upgrade of the demo to end", lambda: api.get(ACTIVE).status_code == 404)
    seed(stack)  # as the `make up` before it does
    token = command("token").stdout.strip()
    env = {"PATH": os.environ["PATH"], "TOKEN": token, "NO_PROXY": "localhost"}
    typed = CREATE.replace(f"localhost:{DEFAULT_PORT}", f"localhost:{stack.port}")
    done = subprocess.run(["bash", "-c", typed], env=env, capture_output=True, text=True, check=True)
    created = json.loads(done.stdout)
    assert (created.get("status"), created.get("tenantId")) == ("PENDING", "550e8400"), created
    assert api.post(f"/upgrades/{created['id']}/cancel").status_code == 200


def test_make_targets_in_the_readme_exist() -> None:
    text = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"\bmake (?:-s )?([a-z-]+)", "\n".join([COMMANDS, *re.findall(r"`[^`]+`", text)])))
    assert named >= {"demo", "up", "down", "token", "unit", "test", "lint", "help"}
    for target in sorted(named):
        shown = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, target
