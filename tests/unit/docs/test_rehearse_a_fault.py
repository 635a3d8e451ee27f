"""docs/rehearse-a-fault.md: its tables are those of the code, and its commands are understood."""

import json
import re
import shlex
import subprocess
from typing import Any

from local.credentials import Credentials
from local.demo.rehearsals import REHEARSALS
from local.fleet.faults.changes import Change, ChangeKind
from local.fleet.state.faults import VARIANTS, Fault, Kind
from local.layout import Layout
from local.ports import Ports
from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.unit.docs.pages import page, rows, section

PAGE = page("rehearse-a-fault.md")
COMMANDS = [text for language, text in code_blocks(PAGE) if language == "sh"]


def _curls() -> list[tuple[str, str, Any]]:
    """Method, path and body of each call on the page."""
    found = []
    for text in COMMANDS:
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            if words[0] != "curl":
                continue
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            path = next(each for each in words if each.startswith("$AGENT/")).removeprefix("$AGENT")
            found.append((method, path, json.loads(words[words.index("-d") + 1]) if "-d" in words else None))
    return found


def test_table_of_rehearsals_is_that_of_the_code() -> None:
    listed = rows(section(PAGE, "# Rehearse a fault").split("## Your own")[0])
    assert listed == [[f"`{name}`", each.line, each.moment.value, each.ends] for name, each in REHEARSALS.items()]


def test_tables_of_faults_and_changes_have_every_kind() -> None:
    own = rows(section(PAGE, "## Your own faults"))
    kinds = [re.sub("`", "", row[0]) for row in own]
    assert kinds == [*(each.value for each in Kind), *(each.value for each in ChangeKind)]
    what = {kind: row[1] for kind, row in zip(kinds, own, strict=True)}
    for kind, variants in VARIANTS.items():
        assert [each for each in variants if f"`{each}`" not in what[kind]] == []


def test_calls_on_the_page_are_understood_by_the_agent() -> None:
    calls = _curls()
    assert [(method, path.rpartition("/")[2]) for method, path, _ in calls] == [
        ("PUT", "faults"),
        ("GET", "faults"),
        ("DELETE", "faults"),
        ("POST", "changes"),
    ]
    assert Fault.read(calls[0][2]).kind is Kind.SPELLING
    assert Change.read(calls[3][2]).kind is ChangeKind.REPLACE


def test_demo_commands_name_faults_that_exist_and_reach_the_demo() -> None:
    named = [line.split() for line in COMMANDS[0].splitlines()]
    for command in named:
        assert command[:2] == ["make", "demo"]
        assert command[2].removeprefix("FAULT=") in {"help", *REHEARSALS}
        shown = subprocess.run(["make", "-n", *command[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
        assert "-m local demo" in shown.stdout


def test_files_with_the_agents_address_and_token_are_those_of_the_stack() -> None:
    layout = Layout.of(ROOT)
    assert f'open("{layout.ports.relative_to(ROOT)}")' in PAGE
    assert "agent" in Ports.__annotations__
    assert "agent_token" in Credentials.__annotations__
    assert f"{layout.secrets.relative_to(ROOT)}/agent_token" in PAGE
