"""Which distributions the sources import, and which ones the requirements name."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

PARTS = {"apache-airflow-core": "apache-airflow", "apache-airflow-task-sdk": "apache-airflow"}
"apache-airflow is a meta-package of these two, each at one version."
ONLY_FOR_TYPES = frozenset({"_typeshed"})
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)")


def normalized(name: str) -> str:
    """The name in the normalised form by which package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements_in(path: Path) -> list[Requirement]:
    """The file's requirements, without those of a file that it includes.

    :raises ValueError: a line that names no version.
    """
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if not text or text.startswith("-r "):
            continue
        requirement = Requirement(text)
        if not requirement.specifier:
            raise ValueError(f"{path.name} names no version in: {line}")
        found.append(requirement)
    return found


def declared_in(path: Path) -> list[str]:
    """The distributions that the file names, as ``requirements_in`` finds them."""
    return [normalized(each.name) for each in requirements_in(path)]


def locked_in(path: Path) -> dict[str, str]:
    """The version of each distribution in a lock."""
    pins = map(_PIN.match, path.read_text(encoding="utf-8").splitlines())
    return {normalized(pin[1]): pin[2] for pin in pins if pin}


def outside(requirements: Iterable[Requirement], locked: Mapping[str, str]) -> list[str]:
    """The requirements that the lock does not meet, each with its version there."""
    found = [(each, locked.get(normalized(each.name))) for each in requirements]
    return [
        f"{each}: {version}"
        for each, version in found
        if version is None or not each.specifier.contains(version, prereleases=True)
    ]


def imported_by(sources: Iterable[Path], own: Collection[str]) -> dict[str, set[str]]:
    """The distributions with the files that import them, lazily or not; ``own`` are the project's top-level names.

    :raises LookupError: a module that no installed distribution has.
    """
    found: dict[str, set[str]] = defaultdict(set)
    skipped = sys.stdlib_module_names | ONLY_FOR_TYPES | set(own)
    for path in sources:
        for module in _imports(path.read_text(encoding="utf-8")):
            if module.partition(".")[0] not in skipped:
                found[distribution_of(module)].add(path.name)
    return found


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)


@cache
def distribution_of(module: str) -> str:
    """The distribution of the module; of a package that several share, the one with the innermost part that is a file.

    :raises LookupError: none has it.
    """
    sharing = sorted(set(_installed().get(module.partition(".")[0], ())))
    if len(sharing) > 1:
        sharing = _owners(module, sharing)
    if not sharing:
        raise LookupError(f"no installed distribution has {module}")
    name = normalized(sharing[0])
    return PARTS.get(name, name)


def _owners(module: str, sharing: Collection[str]) -> list[str]:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length])
        if owners := [each for each in sharing if {f"{path}.py", f"{path}/__init__.py"} & _files(each)]:
            return owners
    return []


@cache
def _installed() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def _files(name: str) -> frozenset[str]:
    return frozenset(each.as_posix() for each in distribution(name).files or ())
