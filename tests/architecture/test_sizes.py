"""Functions stay short, and files small enough to be read in one go."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.sources import ROOMS, ROOT, functions, line_count, python_files, relative

MAX_LINES_OF_FUNCTION = 50
MEDIAN_LINES_OF_FUNCTION = 8
MAX_LINES_OF_FILE = 250
MAX_LINES_OF_PLUGIN = 40
MAX_LINES_OF_SHARD = 10
MAX_LINES_OF_DAG_FILE = 100
MAX_FILES_OF_FOLDER = 12


def test_functions_have_at_most_fifty_lines() -> None:
    long = [
        f"{relative(path)}: {name} has {lines} lines"
        for path in python_files()
        for name, lines in functions(path.read_text(encoding="utf-8"))
        if lines > MAX_LINES_OF_FUNCTION
    ]
    assert long == []


def test_median_function_is_short() -> None:
    lengths = [length for path in python_files("include") for _, length in functions(path.read_text(encoding="utf-8"))]
    assert median(lengths) <= MEDIAN_LINES_OF_FUNCTION


def too_long(paths: list[Path], most: int) -> list[str]:
    return [f"{relative(path)} has {line_count(path)} lines" for path in paths if line_count(path) > most]


def test_files_have_at_most_250_lines() -> None:
    assert too_long(python_files(), MAX_LINES_OF_FILE) == []


def too_full(paths: Iterable[Path]) -> list[str]:
    """The folders with too many files; the shards are generated, one as good as another."""
    counts = Counter(each.parent for each in paths if each.name != "__init__.py" and not each.stem.startswith("shard_"))
    return [f"{relative(folder)} has {count} files" for folder, count in counts.items() if count > MAX_FILES_OF_FOLDER]


def test_folders_of_code_have_at_most_a_dozen_files() -> None:
    assert too_full(python_files(*ROOMS, "tests")) == []


@pytest.mark.parametrize(("files", "full"), [(12, []), (13, ["tests/labs has 13 files"])])
def test_folder_is_full_with_a_dozen_files_and_its_init(files: int, full: list[str]) -> None:
    folder = ROOT / "tests" / "labs"
    assert too_full([folder / "__init__.py", *(folder / f"{n}.py" for n in range(files))]) == full


def test_plugin_files_only_declare_and_execute_nothing() -> None:
    assert too_long(python_files("plugins"), MAX_LINES_OF_PLUGIN) == []


def test_shard_files_have_only_a_few_lines() -> None:
    assert too_long(sorted((ROOT / "dags" / "upgrade_executions").glob("*.py")), MAX_LINES_OF_SHARD) == []


def test_dag_files_contain_graphs_only() -> None:
    assert too_long(python_files("dags"), MAX_LINES_OF_DAG_FILE) == []


@pytest.mark.parametrize("lines", [50, 51])
def test_function_length_is_counted_from_def_to_its_last_line(lines: int) -> None:
    source = "@decorated\ndef f():\n" + "    x = 1\n" * (lines - 1) + "\n\ny = 2\n"
    assert list(functions(source)) == [("f", lines)]


def test_nested_and_async_functions_and_methods_are_counted() -> None:
    source = "class A:\n    async def m(self):\n        def inner():\n            pass\n"
    assert dict(functions(source)) == {"m": 3, "inner": 2}
