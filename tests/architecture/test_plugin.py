"""The plugin file is imported by every Airflow process: it must stay light where no REST app is served."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT

CODE = """
import sys
sys.path.insert(0, "plugins")
before = set(sys.modules)
import upgrades_plugin
loaded = {name for name in set(sys.modules) - before if name.startswith(("upgrade_orchestrator", "fastapi"))}
assert "upgrade_orchestrator.web.app" not in sys.modules and "fastapi" not in loaded, loaded
plugin = upgrades_plugin.UpgradesPlugin()
(entry,) = plugin.fastapi_apps
assert plugin.fastapi_apps[0]["app"] is entry["app"]
print(entry["url_prefix"], type(entry["app"]).__name__)
"""


def test_plugin_loads_the_app_only_when_it_is_asked_for(tmp_path: Path) -> None:
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("/api/v1/registry FastAPI")
