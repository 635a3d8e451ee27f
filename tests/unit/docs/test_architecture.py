"""docs/architecture.md has the lifecycles and the layers of the code."""

import re
import tomllib

from tests.architecture.sources import ROOT
from tests.unit.docs.pages import arrows, diagrams, page, rows, section
from upgrade_orchestrator.bootstrap import DELETE_EXPIRED_RESPONSES
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.execution.states import TRANSITIONS as EXECUTION
from upgrade_orchestrator.domain.instance.instance import TRANSITIONS as INSTANCE
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.control.loops import LOOPS

PAGE = page("architecture.md")


def drawn(heading: str) -> list[tuple[str, str]]:
    (diagram,) = diagrams(section(PAGE, heading))
    return list(arrows(diagram))


def test_execution_diagram_has_every_transition_once_and_no_other() -> None:
    wanted = [(old.value, new.value) for old, goes_to in EXECUTION.items() for new in goes_to]
    edges = [("[*]", ExecutionStatus.PENDING.value), *((each.value, "[*]") for each in TERMINAL)]
    assert sorted(drawn("## Execution lifecycle")) == sorted([*wanted, *edges])


def test_instance_diagram_has_every_transition_once_and_no_other() -> None:
    wanted = [(old.value, new.value) for old, goes_to in INSTANCE.items() for new in goes_to]
    edges = [("[*]", InstanceStatus.PENDING.value), (InstanceStatus.ROLLED_BACK.value, "[*]")]
    assert sorted(drawn("## Instance lifecycle")) == sorted([*wanted, *edges])


def test_packages_have_the_layers_of_the_import_rules() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in rules if each["type"] == "layers")
    known = {name.strip() for layer in layers for name in layer.split("|")}
    packages = " ".join(row[0] for row in rows(section(PAGE, "## Packages and their imports")) if len(row) > 2)
    assert {name for name in known if name not in packages} == set()


def test_names_on_the_page_are_defined_in_the_linked_files() -> None:
    sent = [row[1] for row in rows(section(PAGE, "## Packages and their imports")) if len(row) == 2]
    clauses = [clause for cell in sent for clause in re.split("[;,]", cell) if _linked(clause)]
    missing = [f"{name}: {clause}" for clause in clauses for name in _names(clause) if not _defined(name, clause)]
    assert (len(clauses) > 10, missing) == (True, [])


def test_control_loops_have_the_names_and_times_that_the_log_and_the_code_have() -> None:
    listed = [(row[0].strip("`"), row[1]) for row in rows(section(PAGE, "## Control loops"))]
    assert listed == [(each.name, _time(each.seconds)) for each in (*LOOPS, DELETE_EXPIRED_RESPONSES)]


def _time(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"


def test_name_that_is_not_defined_in_the_linked_file_is_reported() -> None:
    clause = "`startable` and `advance` in [`budget.py`](../include/upgrade_orchestrator/domain/plan/budget.py)"
    assert [_defined(name, clause) for name in _names(clause)] == [True, False]


def _linked(clause: str) -> list[str]:
    return re.findall(r"\]\(\.\./([\w/.]+)\)", clause)


def _names(clause: str) -> list[str]:
    return re.findall(r"`(\w+)`", clause)


def _defined(name: str, clause: str) -> bool:
    linked = [ROOT / each for each in _linked(clause)]
    files = [path for each in linked for path in ([each] if each.is_file() else each.rglob("*.py"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.search(rf"^(?:(?:async )?def|class) {name}\b|^{name}\b.* = ", text, re.MULTILINE) is not None


def test_diagram_of_another_lifecycle_is_reported() -> None:
    text = "stateDiagram-v2\n    [*] --> A\n    A --> B: begin\n    B --> [*]\n    note: A --> C is no arrow\n"
    assert list(arrows(text)) == [("[*]", "A"), ("A", "B"), ("B", "[*]")]
