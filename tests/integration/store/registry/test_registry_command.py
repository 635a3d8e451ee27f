"""`airflow upgrades registry` on the real database: arguments, output and exit codes."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.integration.store.connections import connection_to
from upgrade_orchestrator.cli.registry.__main__ import main

TEXT = """\
components:
  - id: kafka
    name: Kafka
versions:
  - id: v1
    componentId: kafka
    version: 3.10
"""


@pytest.fixture
def file(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """registry.yaml in the working folder, with `TEXT`; the command finds the database."""
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to(postgres_url))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "registry.yaml"
    path.write_text(TEXT)
    return path


def test_load_command_reports_its_changes_and_changes_nothing_the_second_time(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (main(["load", "registry.yaml"]), main(["load", "registry.yaml"])) == (0, 0)
    file.write_text(TEXT.replace("name: Kafka", "name: Apache Kafka"))
    assert main(["load", "registry.yaml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "registry.yaml: 2 created, 0 changed, 0 unchanged",
        "registry.yaml: 0 created, 0 changed, 2 unchanged",
        "registry.yaml: 0 created, 1 changed, 1 unchanged",
    ]


def test_export_command_writes_a_file_that_loads_back_unchanged(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["load", "registry.yaml"])
    assert main(["export", "again.yaml"]) == 0
    assert main(["export"]) == 0
    assert capsys.readouterr().out.partition("exported\n")[2] == Path("again.yaml").read_text()
    assert main(["load", "again.yaml"]) == 0
    assert capsys.readouterr().out == "again.yaml: 0 created, 0 changed, 2 unchanged\n"


def test_load_command_reads_standard_input(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert main(["load", "-"]) == 0
    assert capsys.readouterr().out == "standard input: 2 created, 0 changed, 0 unchanged\n"


# fault 43
def test_bare_version_as_a_range_is_warned_of_with_file_and_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(TEXT + "    dependencies:\n      zk: 3.8.4\n      java: ==17\n")
    assert main(["load", "registry.yaml"]) == 0
    printed = capsys.readouterr()
    assert "created" in printed.out
    said = "3.8.4 means exactly 3.8.4: write ==3.8.4 if that is meant, or >=3.8.4 or ^3.8.4"
    assert printed.err.splitlines() == [f"registry.yaml:9: warning: versions[0].dependencies.zk: {said}"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "    status: stable\n",
            "registry.yaml:8: versions[0].status: should be 'DRAFT', 'STABLE', 'DEPRECATED' or 'EOL'",
        ),
        ("    stauts: EOL\n", "registry.yaml:8: versions[0].stauts: unknown field"),
        ("    id: v2\n", "registry.yaml:8: versions[0].id: is given twice, first in line 5"),
        ("    lts: [\n", "registry.yaml:9: not YAML: expected the node content, but found '<stream end>'"),
        (
            "    dependencies:\n      zk: about 3\n",
            "registry.yaml:9: versions[0].dependencies.zk: 'about 3' is not a version range: 'about' does not begin"
            " with a number; write a range such as >=15,<18 or ^1.2.3, with || between alternatives",
        ),
        (
            "  - {id: v2, componentId: zk, version: 1}\n",
            "registry.yaml:8: versions[1].componentId: there is no component zk, neither here nor registered",
        ),
        (
            "  - {id: v2, componentId: kafka, version: 3.10}\n",
            "registry.yaml:8: versions[1].version: the component has this version already at versions[0]",
        ),
        (
            "backups:\n  - id: b\n",
            "registry.yaml:9: backups[0].componentId: is required",
        ),
    ],
)
def test_invalid_entry_is_reported_with_file_line_and_field_and_nothing_is_loaded(
    file: Path, capsys: pytest.CaptureFixture[str], more: str, said: str
) -> None:
    file.write_text(TEXT + more)
    assert main(["load", "registry.yaml"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err.splitlines()
    assert printed.err.splitlines()[-1].startswith("registry.yaml: nothing was loaded (")
    assert main(["export"]) == 0
    assert "kafka" not in capsys.readouterr().out


def test_every_problem_is_reported_at_once_in_the_order_of_the_lines(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(TEXT.replace("name: Kafka", "nmae: Kafka") + "    lts: perhaps\n")
    assert main(["load", "registry.yaml"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "registry.yaml:2: components[0].name: is required",
        "registry.yaml:3: components[0].nmae: unknown field",
        "registry.yaml:8: versions[0].lts: should be a valid boolean, unable to interpret input",
        "registry.yaml: nothing was loaded (3 problems)",
    ]


def test_file_that_cannot_be_read_or_written_is_reported_in_one_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"\xff\xfe")
    assert [main(["load", "registry.yaml"]), main(["load", "nowhere.yaml"]), main(["export", "no/x.yaml"])] == [1, 1, 1]
    assert capsys.readouterr().err.splitlines() == [
        "registry.yaml: is not UTF-8 at byte 0",
        "nowhere.yaml: cannot be read: No such file or directory",
        "no/x.yaml: cannot be written: No such file or directory",
    ]


def test_empty_file_loads_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("# to be filled\n")
    assert main(["load", "registry.yaml"]) == 0
    assert capsys.readouterr().out == "registry.yaml: 0 created, 0 changed, 0 unchanged\n"


def test_unreachable_or_undefined_database_is_reported_without_a_traceback(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UPGRADES_DB", connection_to("postgresql://u:secret@127.0.0.1:9/nothing"))
    assert (main(["load", "registry.yaml"]), main(["export"])) == (1, 1)
    monkeypatch.setenv("AIRFLOW__UPGRADES__DB_CONN_ID", "not_defined")
    assert main(["load", "registry.yaml"]) == 1
    printed = capsys.readouterr().err
    assert printed.count("start it, or correct host and port in AIRFLOW_CONN_UPGRADES_DB") == 2
    assert "the Airflow connection not_defined is not" in printed
    assert len(printed.splitlines()) == 3
    assert "Traceback" not in printed
    assert "secret" not in printed


def test_wrong_command_line_exits_with_2(file: Path) -> None:
    for arguments in ([], ["load"], ["drop", "registry.yaml"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


@pytest.mark.parametrize("typed", ["airflow upgrades registry", "upgrade_orchestrator.cli.registry"])
def test_registry_command_runs_as_documented_and_prints_nothing_else(file: Path, typed: str) -> None:
    command = [sys.executable, "-m", *typed.split()]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    loaded = subprocess.run([*command, "load", "registry.yaml"], env=env, capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stdout) == (0, "registry.yaml: 2 created, 0 changed, 0 unchanged\n"), (
        loaded.stderr
    )
    exported = subprocess.run([*command, "export"], env=env, capture_output=True, text=True, check=False)
    assert exported.returncode == 0, exported.stderr
    assert exported.stdout.startswith("# The component registry; load it with:")
    assert "version: '3.10'" in exported.stdout
