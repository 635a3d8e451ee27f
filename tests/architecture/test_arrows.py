"""Imports point one way: import-linter's contracts in pyproject.toml, and what importing the domain really loads."""

import json
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT, python_files

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
LOADED = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({module.partition(".")[0] for module in set(sys.modules) - before})))
"""
HEAVY = {"airflow", "sqlalchemy", "pydantic", "fastapi", "aiohttp"}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter that starts in the project's root."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").removeprefix("include/").replace("/", ".")


DOMAIN = [
    module_name(path.relative_to(ROOT).as_posix()) for path in python_files("include/upgrade_orchestrator/domain")
]


def loaded_by(*modules: str) -> set[str]:
    """Top-level names that importing ``modules`` brings into a fresh interpreter."""
    done = run(LOADED, *modules)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_import_contracts_are_kept() -> None:
    done = run(LINT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "0 broken" in done.stdout


def test_domain_loads_nothing_but_itself_and_the_standard_library() -> None:
    assert len(DOMAIN) > 15
    loaded = loaded_by(*DOMAIN)
    assert "upgrade_orchestrator" in loaded
    assert loaded & HEAVY == set()
    assert loaded - sys.stdlib_module_names == {"upgrade_orchestrator"}


@pytest.mark.parametrize("library", ["aiohttp", "pydantic"])
def test_library_imported_by_the_domain_is_reported(library: str) -> None:
    assert library in loaded_by(library)
