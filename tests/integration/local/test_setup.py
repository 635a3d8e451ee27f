import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "product-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("product.pth", "")
        metadata = "Metadata-Version: 2.1\\nName: product\\nVersion: 1.0\\n"
        files = {"METADATA": metadata, "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n", "RECORD": ""}
        for file, text in files.items():
            wheel.writestr(f"product-1.0.dist-info/{file}", text)
    return name
"""
"A project that builds itself, so that nothing has to be fetched."
_TOOLS = ["sh", "dirname", "cat", "cksum", "pwd", "rm", "mkdir", "grep", "tail"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with nothing but the set-up, and a folder of programs without any Python."""
    (tmp_path / "local").mkdir()
    shutil.copy(ROOT / "local" / "setup.sh", tmp_path / "local")
    (tmp_path / "requirements-dev.lock").write_text("")
    (tmp_path / "backend.py").write_text(_BACKEND)
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (tmp_path / "bin").mkdir()
    for tool in _TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _set_up(project: Path) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": str(project / "bin"), "HOME": str(project)}
    command = ["sh", str(project / "local" / "setup.sh")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=os.sep)


def _program(project: Path, name: str, body: str) -> None:
    path = project / "bin" / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_setup_names_python_in_one_line_when_there_is_none(project: Path) -> None:
    done = _set_up(project)
    assert done.returncode == 1
    assert re.fullmatch(r"setup: Python 3.11, 3.12 or 3.13 is needed: [^\n]+\n", done.stderr)


def test_setup_names_python_when_it_is_too_old(project: Path) -> None:
    _program(project, "python3", "exit 1")
    assert _set_up(project).stderr.startswith("setup: Python 3.11")


def test_setup_names_the_package_when_python_has_no_venv(project: Path) -> None:
    _program(project, "python3", 'case "$2" in *venv*) exit 1;; esac')
    done = _set_up(project)
    assert done.returncode == 1
    assert re.fullmatch(r"setup: python3 has no venv module: [^\n]*python3-venv\)\n", done.stderr)


def test_setup_gives_the_reason_in_one_line_when_the_installation_fails(project: Path) -> None:
    _program(project, "python3", f'exec {sys.executable} "$@"')
    (project / "requirements-dev.lock").write_text("no-hash-given==1.0\n")
    done = _set_up(project)
    assert done.returncode == 1
    assert "hash" in done.stderr.splitlines()[-1]
    assert len(done.stderr.splitlines()) == 2
    assert not (project / ".venv" / "upgrades-stamp").exists(), "half an installation must not pass for a whole one"


def test_setup_does_nothing_when_it_was_done_unless_the_lock_changed(project: Path) -> None:
    _program(project, "python3", f'exec {sys.executable} "$@"')
    assert _set_up(project).returncode == 0
    made = (project / ".venv" / "pyvenv.cfg").stat().st_mtime_ns
    again = _set_up(project)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (project / ".venv" / "pyvenv.cfg").stat().st_mtime_ns == made
    (project / "requirements-dev.lock").write_text("# another one\n")
    _program(project, "python3", 'case "$2" in venv) exit 1;; esac')  # it is enough that it begins
    assert "setting up .venv" in _set_up(project).stderr


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_pins_by_hash_and_names_no_host(name: str) -> None:
    lock = (ROOT / name).read_text()
    pins = [line for line in lock.splitlines() if line and line[0] not in " #"]
    assert len(pins) > 50
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert "://" not in lock
