"""The set-up refuses options that would not lead Airflow to the upgrades' DAG files, and says what to set."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT
from upgrade_orchestrator.adapters.airflow.bundles import UPGRADES_BUNDLE
from upgrade_orchestrator.adapters.airflow.checked_bundle import LOCAL_BUNDLE, checked_bundle

LIST = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
LOCAL = {"name": "dags-folder", "classpath": LOCAL_BUNDLE, "kwargs": {}}
OURS = {"name": "of-upgrades", "classpath": UPGRADES_BUNDLE, "kwargs": {}}
COPIED = {"name": "copied", "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(ROOT / "dags")}}
REMOTE = {"name": "git", "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": {}}
FOLDER = "upgrade_executions"


@pytest.fixture(autouse=True)
def own_dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Airflow's DAGs folder without ours in it."""
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path))
    return tmp_path


def configured(monkeypatch: pytest.MonkeyPatch, bundles: Any) -> None:
    monkeypatch.setenv(LIST, bundles if isinstance(bundles, str) else json.dumps(bundles))


@pytest.mark.parametrize(
    ("bundles", "wanted", "name"),
    [
        ([LOCAL, OURS], None, "of-upgrades"),
        ([OURS], "of-upgrades", "of-upgrades"),
        ([LOCAL, COPIED], "copied", "copied"),
        ([LOCAL, REMOTE], "git", "git"),
    ],
)
def test_bundle_that_has_the_files_is_accepted(
    bundles: Any, wanted: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(monkeypatch, bundles)
    assert checked_bundle(wanted, FOLDER) == name


def test_copied_dags_folder_is_accepted_without_a_bundle_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(ROOT / "dags"))
    assert checked_bundle(None, FOLDER) == "dags-folder"


@pytest.mark.parametrize(
    ("bundles", "wanted", "folder", "said"),
    [
        ([LOCAL], None, FOLDER, "the bundle dags-folder lacks the folder "),
        ([COPIED], None, FOLDER, 'no DAG bundle has the upgrades\' DAG files: add {"name": "upgrades"'),
        (
            [LOCAL, OURS],
            "upgrades",
            FOLDER,
            "DAG_BUNDLE) is upgrades, which is not in [dag_processor] dag_bundle_confi",
        ),
        ([LOCAL, OURS], "upgrades", FOLDER, "set it to of-upgrades"),
        ([LOCAL, COPIED], "upgrades", FOLDER, "set it to dags-folder or copied"),
        (
            [LOCAL, OURS],
            "dags-folder",
            FOLDER,
            "leave [upgrades] dag_bundle (AIRFLOW__UPGRADES__DAG_BUNDLE) out, or set",
        ),
        (
            [LOCAL, OURS],
            None,
            "elsewhere",
            "leave [upgrades] dags_folder (AIRFLOW__UPGRADES__DAGS_FOLDER) at its default",
        ),
        ([OURS, OURS | {"name": "again"}], None, FOLDER, "more than once (of-upgrades, again): keep one"),
        ([OURS, COPIED], "copied", FOLDER, "the DAG files are in the bundles copied and of-upgrades: leave out one"),
        ([OURS, COPIED], None, FOLDER, "the DAG files are in the bundles of-upgrades and copied: leave out one"),
        ([{"classpath": UPGRADES_BUNDLE}], None, FOLDER, "must be a JSON list of bundles with name, classpath"),
        ("no JSON", None, FOLDER, "must be a JSON list of bundles with name, classpath"),
    ],
)
def test_options_that_do_not_lead_to_the_files_are_refused_in_one_line(
    bundles: Any, wanted: str | None, folder: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(monkeypatch, bundles)
    with pytest.raises(ValueError) as refused:
        checked_bundle(wanted, folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_file_that_was_not_copied_is_named(own_dags: Path) -> None:
    (own_dags / FOLDER).mkdir()
    for each in (ROOT / "dags" / FOLDER).glob("shard_*.py"):
        (own_dags / FOLDER / each.name).touch()
    (own_dags / FOLDER / "shard_11.py").unlink()
    with pytest.raises(ValueError, match="lacks .*shard_11.py"):
        checked_bundle(None, FOLDER)
