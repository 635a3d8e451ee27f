"""What a task's process needs of ours beyond Airflow's own task runner: exact, so that nobody adds to it unseen."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT
from tests.exact_counts import hold

CODE = """
import gc, json, sys, types
import airflow.sdk.execution_time.supervisor, airflow.sdk.execution_time.task_runner
before = set(sys.modules)
import upgrade_orchestrator.flow.upgrade.factory
from upgrade_orchestrator import bootstrap
bootstrap.load_clients()
gc.collect()
loaded = set(sys.modules) - before
ours = sorted(name for name in loaded if name.startswith("upgrade_orchestrator"))
files = {sys.modules[name].__file__ for name in ours}
functions = [each for each in gc.get_objects() if type(each) is types.FunctionType]
written = {each.__code__ for each in functions if each.__code__.co_filename in files}
libraries = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
libraries -= {"upgrade_orchestrator", "__mp_main__"}
libraries = {name for name in libraries if not name.startswith("_cython")}  # versions of Cython, not a library
print(json.dumps({"modules": len(ours), "functions": len(written), "libraries": sorted(libraries)}))
"""
"Functions are those that stand in our sources, methods too; what dataclasses and the like generate is not counted."


def loaded(airflow_home: Path) -> dict[str, Any]:
    env = {**os.environ, "AIRFLOW_HOME": str(airflow_home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_task_imports_the_modules_functions_and_libraries_that_the_document_names(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    counted = {
        "modules of `upgrade_orchestrator`": (str(found["modules"]),),
        "functions written in them": (str(found["functions"]),),
        "libraries": (", ".join(found["libraries"]),),
    }
    hold("a task imports", counted)
