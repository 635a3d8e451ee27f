"""Every dag file imports, and the shard files are exactly the shards."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.dags.conftest import Add
from upgrade_orchestrator.dag_bundle import UpgradesDagBundle
from upgrade_orchestrator.domain.airflow.shards import SHARDS, shard_file

DAGS = ROOT / "dags"
BUNDLE = ROOT / "include" / "upgrade_orchestrator" / "dag_files"
SHARD_FILES = sorted((DAGS / "upgrade_executions").glob("*.py"))


def texts(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text(encoding="utf-8") for each in folder.rglob("*.py")}


@pytest.mark.parametrize("path", sorted(DAGS.rglob("*.py")), ids=lambda path: str(path.relative_to(DAGS)))
def test_dag_file_imports_without_error(path: Path, database: str) -> None:
    assert runpy.run_path(str(path))


def test_dag_files_in_the_package_are_those_of_the_project() -> None:
    assert texts(BUNDLE) == {name: text for name, text in texts(DAGS).items() if not name.startswith("e2e_")}


def test_bundle_is_the_folder_in_the_package_and_contains_nothing_else() -> None:
    bundle = UpgradesDagBundle(name="upgrades")
    bundle.initialize()
    assert bundle.path == BUNDLE
    assert {each.suffix for each in BUNDLE.rglob("*") if each.is_file() and "__pycache__" not in each.parts} == {".py"}


def test_shard_files_correspond_exactly_to_the_shards() -> None:
    assert {each.name for each in SHARD_FILES} == {f"shard_{number}.py" for number in range(SHARDS)}
    for path in SHARD_FILES:
        assert f"build_dags(shard={path.stem.removeprefix('shard_')})" in path.read_text(encoding="utf-8")


def test_execution_is_in_the_file_whose_parse_is_requested(executions: Add) -> None:
    for _ in range(10):
        execution = executions(started_at=datetime.now(UTC))
        found = runpy.run_path(str(DAGS / "upgrade_executions" / shard_file(execution.id)))
        assert execution.dag_id in found


@pytest.mark.parametrize("path", SHARD_FILES, ids=lambda path: path.name)
def test_airflows_safe_mode_does_not_skip_the_dag_file(path: Path) -> None:
    """Airflow's safe mode skips files that do not mention both words."""
    text = path.read_text(encoding="utf-8").lower()
    assert "dag" in text
    assert "airflow" in text
