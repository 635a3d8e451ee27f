"""docs/tutorial.md: its commands, in their order in one shell, upgrade a fleet of the reader's own and roll it back."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.ports import free_port
from local.stack.stack import Stack
from tests.e2e.demo.typed import run
from tests.e2e.steps import Json, got
from tests.guides import code_blocks
from tests.shared_stack import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
STEPS = [text for language, text in code_blocks(PAGE) if language == "sh"]
(FILE,) = (text for language, text in code_blocks(PAGE) if language == "yaml")
DEPLOYMENT = "/tenants/my-team/components/my-service/deployment"
AGENT = {'"port": 8095': "\"port\": '$AGENT_PORT'", "8095": "$AGENT_PORT"}


@pytest.fixture
def registered(api: httpx.Client, airflow: httpx.Client) -> Iterator[None]:
    """Afterwards the stack no longer uses an agent that has ended."""
    yield
    known = got(api, DEPLOYMENT)
    moved = {name: known[name] for name in ("driver", "fleet", "currentVersionId")} | {"connId": "demo_fleet"}
    assert api.put(DEPLOYMENT, json=moved).status_code == 200
    assert airflow.delete("/connections/my_fleet").status_code == 204


def last_line(printed: str) -> Any:
    """The data of the stream's last event."""
    return json.loads(printed.splitlines()[-1].removeprefix("data: "))


@pytest.mark.usefixtures("registered")
def test_tutorial_upgrades_a_fleet_of_the_reader_and_rolls_it_back(
    stack: Stack, api: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "my-fleet").mkdir()
    (tmp_path / "my-fleet" / "registry.yaml").write_text(FILE, encoding="utf-8")
    printed = run(stack, tmp_path, STEPS, AGENT, AGENT_PORT=str(free_port()))
    assert len(printed) == len(STEPS) == 11
    _, fleet, connection, seeded, backup, preview, started, watched, _, rolled, _ = printed
    assert [each["status"] for each in json.loads(fleet)["instances"]] == ["RUNNING"] * 6
    assert json.loads(connection)["connection_id"] == "my_fleet"
    assert (seeded, f"`{seeded}`" in PAGE) == ("my-fleet/registry.yaml: 7 created, 0 changed, 0 unchanged", True)
    assert json.loads(backup)["versionId"] == "my-1.0"
    plan, validation = json.loads(preview)["plan"], json.loads(preview)["validation"]
    assert ([len(each["instances"]) for each in plan["batches"]], plan["budget"]) == ([2, 2, 2], 3)
    assert validation["valid"], validation
    assert json.loads(started)["status"] == "VALIDATING"
    assert last_line(watched)["status"] == "COMPLETED"
    assert last_line(rolled)["status"] == "ROLLED_BACK"
    deployment: Json = got(api, DEPLOYMENT)
    assert (deployment["currentVersionId"], deployment["mixed"]) == ("my-1.1", None)


def test_tutorial_uses_make_targets_that_exist() -> None:
    wanted = {"up": "-m local up", "down": "-m local down", "token": "-m local token", "seed": '-m local seed "'}
    for target, command in wanted.items():
        shown = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert command in shown.stdout
    assert (STEPS[0].splitlines()[0], STEPS[-1].splitlines()[-1]) == ("make up", "make down")
