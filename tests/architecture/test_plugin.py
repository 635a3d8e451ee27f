"""Every Airflow process imports the plugin: it must be cheap where no REST app is served, and be registered once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack.bare_venv import make_bare_venv
from tests.architecture.sources import ROOT

LIGHT = """
import json, sys
from importlib.metadata import entry_points
(found,) = [each for each in entry_points(group="airflow.plugins") if each.name == "upgrades"]
before = set(sys.modules)
plugin = found.load()()
loaded = {name for name in set(sys.modules) - before if name.startswith(("upgrade_orchestrator", "fastapi"))}
plugin.on_load()
late = [name for name in ("upgrade_orchestrator.web.app", "upgrade_orchestrator.flow") if name in sys.modules]
(entry,) = plugin.fastapi_apps
assert plugin.fastapi_apps[0]["app"] is entry["app"]
print(json.dumps([sorted(loaded), late, entry["url_prefix"], type(entry["app"]).__name__]))
"""
BOTH_MANAGERS = """
import json, logging
logging.disable()
from airflow import plugins_manager as core
from airflow.sdk import plugins_manager as task_side
ours = lambda manager: [str(each.source) for each in manager._get_plugins()[0] if each.name == "upgrades"]
found = [ours(core), ours(task_side)]
print(json.dumps([found, core._get_plugins()[1]]))
"""


def _run(python: str | Path, code: str, home: Path, **env: str) -> list[object]:
    plugins = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    given = {**os.environ, "AIRFLOW_HOME": str(home), **plugins, **env}
    done = subprocess.run([python, "-c", code], cwd=home, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_plugin_loads_the_app_only_on_its_first_use(tmp_path: Path) -> None:
    loaded, late, prefix, app = _run(sys.executable, LIGHT, tmp_path)
    light = ["upgrade_orchestrator", *(f"upgrade_orchestrator.{name}" for name in ("plugin", "provider", "settings"))]
    assert loaded == light
    assert (late, prefix, app) == ([], "/api/v1/registry", "FastAPI")


def test_plugin_loads_the_modules_of_tasks_where_plugins_are_loaded_at_start(tmp_path: Path) -> None:
    _, late, *_ = _run(sys.executable, LIGHT, tmp_path, AIRFLOW__CORE__LAZY_LOAD_PLUGINS="False")
    assert late == ["upgrade_orchestrator.flow"]


def test_installed_plugin_is_registered_once_beside_its_file_in_the_plugins_folder(tmp_path: Path) -> None:
    found, errors = _run(sys.executable, BOTH_MANAGERS, tmp_path)
    assert errors == {}
    assert isinstance(found, list)
    for (source,) in found:
        assert "airflow-upgrade-orchestrator==" in source


def test_copied_package_reads_the_options_with_the_same_defaults(tmp_path: Path) -> None:
    code = """
import json
from upgrade_orchestrator.settings import Settings
print(json.dumps([Settings.read() == Settings(lease_seconds=7)]))
"""
    python, given = make_bare_venv(tmp_path / "venv"), {"AIRFLOW__UPGRADES__LEASE_SECONDS": "7"}
    assert _run(python, code, tmp_path, PYTHONPATH=str(ROOT / "include"), **given) == [True]


@pytest.mark.parametrize("copied", [True, False])
def test_copied_plugin_is_registered_by_its_file_when_include_is_on_the_path(tmp_path: Path, copied: bool) -> None:
    """Without the installed package: with include/ on the path the plugin is there; without it an import error says
    why.
    """
    python = make_bare_venv(tmp_path / "venv")
    found, errors = _run(python, BOTH_MANAGERS, tmp_path, PYTHONPATH=str(ROOT / "include") if copied else "")
    source = ["$PLUGINS_FOLDER/upgrades_plugin.py"] if copied else []
    assert found == [source, source]
    assert str(errors).count("No module named 'upgrade_orchestrator'") == (0 if copied else 1)
