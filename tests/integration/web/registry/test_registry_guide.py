"""docs/registry.md: its file, its commands and its ranges do what the page says."""

import os
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.architecture.sources import ROOT
from tests.guides import code_blocks
from tests.integration.store.connections import connection_to
from tests.integration.world import World
from upgrade_orchestrator.cli.registry.__main__ import main
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.cli.registry.marked_yaml import read_yaml
from upgrade_orchestrator.domain.registry.ranges import VersionRange
from upgrade_orchestrator.domain.registry.schemes import Scheme, compare
from upgrade_orchestrator.service.registry.load import load_registry

PAGE = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")
BLOCKS = list(code_blocks(PAGE))
(FILE,) = (text for kind, text in BLOCKS if kind == "yaml")
COMMANDS = [line for kind, text in BLOCKS if not kind for line in text.replace("\\\n", " ").splitlines()]


def starting_with(word: str) -> list[list[str]]:
    return [shlex.split(line, comments=True) for line in COMMANDS if line.startswith(word)]


async def asked(api: httpx.AsyncClient, command: list[str]) -> Any:
    """What the server answers to the page's curl command."""
    words, body, method = command[1:], None, "GET"
    urls = [word for word in words if word.startswith("$REGISTRY")]
    if "-d" in words:
        body, method = words[words.index("-d") + 1], "POST"
    if "-X" in words:
        method = words[words.index("-X") + 1]
    headers = {"Content-Type": "application/json"} if body else {}
    response = await api.request(method, urls[0].removeprefix("$REGISTRY"), content=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


async def test_calls_in_the_guide_get_the_documented_responses(api: httpx.AsyncClient, world: World) -> None:
    loaded = await load_registry(world.ports, entries_in(read_yaml(FILE).value))
    assert (str(loaded), f"`registry.yaml: {loaded}`" in PAGE) == ("8 created, 0 changed, 0 unchanged", True)
    status, calculate, check = starting_with("curl")
    route = await asked(api, calculate)
    assert [each["id"] for each in route["steps"]] == ["pg-15-16", "pg-16-17"]
    assert [each["id"] for each in route["closedPaths"]] == ["pg-15-17"]
    assert [each["riskLevel"] for each in route["steps"]] == ["MEDIUM", "HIGH"]
    judged = await asked(api, check)
    assert [each["satisfied"] for each in judged["dependencies"]] == [False]
    assert (judged["compatible"], judged["path"]["id"]) == (False, "pg-16-17")
    assert (await asked(api, status))["effectiveStatus"] == "EOL"


def test_commands_in_the_guide_work_as_documented(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process; as one of its own it runs in `integration/store/registry/test_registry_command.py`."""
    (tmp_path / "registry.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(empty_database))
    load, export = starting_with("airflow")
    for command, said in ((load, "8 created"), (load, "8 unchanged"), (export, "8 exported"), (load, "8 unchanged")):
        assert command[:3] == ["airflow", "upgrades", "registry"]
        assert main(command[3:]) == 0
        assert said in capsys.readouterr().out


def test_make_targets_in_the_guide_exist_and_need_the_stack(tmp_path: Path) -> None:
    targets = starting_with("make")
    assert [words[1] for words in targets] == ["seed", "export"]
    for words in targets:
        env = os.environ | {"LOCAL_STATE": str(tmp_path / "state")}
        command = [sys.executable, "-m", "local", words[1], words[2].removeprefix("FILE=")]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "local: the stack is not up: run `make up` first\n")
        shown = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
        assert f'-m local {words[1]} "registry.yaml"' in shown.stdout


def rows_of(heading: str) -> list[list[str]]:
    """The rows of the section's table."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in row.split("|")[1:4]] for row in text.splitlines() if row.startswith("| `")]


ROWS, SCHEMES = rows_of("Ranges"), [row for row in rows_of("Versions") if row[0] != "`versionScheme`"]


@pytest.mark.parametrize(("ranges", "inside", "outside"), ROWS)
def test_version_ranges_in_the_guide_allow_the_documented_versions(ranges: str, inside: str, outside: str) -> None:
    for text in ranges.split("`")[1::2]:
        allowed = VersionRange.parse(text)
        assert all(allowed.allows(each) for each in inside.split(", ") if inside != "every version")
        assert not any(allowed.allows(each) for each in outside.split(", ") if outside)


def test_problems_in_the_guide_are_printed_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = FILE.replace("lts: true", "status: stable").replace("recommended: true", "recomended: true")
    (tmp_path / "registry.yaml").write_text(wrong)
    monkeypatch.chdir(tmp_path)
    assert main(["load", "registry.yaml"]) == 1
    printed = capsys.readouterr().err.splitlines()
    assert printed == [line for line in COMMANDS if line.startswith("registry.yaml")]


@pytest.mark.parametrize(("scheme", "rising"), [(row[0], row[2]) for row in SCHEMES if row[2]])
def test_versions_in_the_guide_have_the_documented_order(scheme: str, rising: str) -> None:
    assert [compare(Scheme(scheme.strip("`")), *each) for each in pairwise(rising.split(", "))] == [-1] * rising.count(
        ", "
    )


def test_guide_has_a_row_for_each_scheme_and_for_ranges() -> None:
    assert {row[0].split("`")[1] for row in SCHEMES} == {each.value for each in Scheme}
    assert len(ROWS) == 16
