"""docs/specification.md says what the code does: calls, fields, lifecycles, checks, errors, roles and events."""

import pytest
from fastapi import Request
from fastapi.routing import APIRoute

from tests.unit.docs.pages import names, page, rows, section, words
from upgrade_orchestrator.domain.checks.checks import CheckName
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.execution.states import TRANSITIONS as EXECUTION
from upgrade_orchestrator.domain.instance.instance import TRANSITIONS as INSTANCE
from upgrade_orchestrator.domain.operations.permissions import ROLES
from upgrade_orchestrator.schemas.executions import ExecutionResponse, RequestResponse
from upgrade_orchestrator.schemas.plans import InstanceResponse, PlanResponse
from upgrade_orchestrator.schemas.statistics import StatisticsResponse
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.web.app import create_app
from upgrade_orchestrator.web.http.error_responses import codes_in
from upgrade_orchestrator.web.http.problems import KINDS
from upgrade_orchestrator.web.security import Caller

PAGE = page("specification.md")
SECTIONS = [line for line in PAGE.splitlines() if line.startswith("## ")]
NO_CALLS = ("/view", "/docs", "/openapi.json")


def below(number: int) -> str:
    return section(PAGE, SECTIONS[number - 1])


async def _no_ports() -> Ports:
    raise RuntimeError("a description opens nothing")


async def _no_caller(_: Request) -> Caller:
    raise RuntimeError("a description is asked by no caller")


def calls() -> dict[str, APIRoute]:
    """Each call of the API, as ``POST /components``."""
    routes = [each for each in create_app(_no_ports, _no_caller).routes if isinstance(each, APIRoute)]
    api = [each for each in routes if not each.path_format.startswith(NO_CALLS)]
    return {f"{method} {each.path_format}": each for each in api for method in each.methods}


def test_sections_have_the_numbers_that_the_code_cites() -> None:
    assert [line.split(" ")[1] for line in SECTIONS[:-1]] == [f"{number}." for number in range(1, 15)]
    assert SECTIONS[-1] == "## Not yet"


def test_section_1_names_every_call_and_its_success_status() -> None:
    documented = {names(row[0])[0]: row[1] for row in rows(below(1))}
    assert documented.keys() == calls().keys()
    for name, route in calls().items():
        assert str(route.status_code or 200) in documented[name], name


def test_section_2_has_every_field_with_its_default() -> None:
    documented = {names(row[0])[0]: row[2] for row in rows(below(2))}
    schema = UpgradeBody.model_json_schema(by_alias=True)
    assert list(documented) == list(schema["properties"])
    for name, about in schema["properties"].items():
        given = about.get("default")
        if name in schema["required"]:
            assert documented[name] == "required"
        else:
            assert names(documented[name]) == ([] if given is None else [_shown(given)]), name


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_section_2_has_every_range() -> None:
    documented = {names(row[0])[0]: row[3] for row in rows(below(2))}
    for name, about in UpgradeBody.model_json_schema(by_alias=True)["properties"].items():
        if "minimum" in about:
            assert documented[name].startswith(f"{about['minimum']} to {about['maximum']}"), name
    assert names(documented["strategy"]) == [each.value for each in Strategy]


def test_section_3_has_every_transition_of_an_execution() -> None:
    table = {row[0]: set(words(row[1])) if len(row) > 1 else set() for row in rows(below(3))}
    for status in ExecutionStatus:
        assert table[status.value] == {each.value for each in EXECUTION[status]}


def test_section_3_names_the_statuses_in_which_each_command_is_accepted() -> None:
    table = {row[0]: row[1] for row in rows(below(3)) if len(row) > 1}
    for command, allowed in ALLOWED_FROM.items():
        if allowed == frozenset(ExecutionStatus) - TERMINAL:
            assert table[command.value] == "every status that is not terminal"
        else:
            assert set(words(table[command.value])) == {each.value for each in allowed}, command


def test_section_4_has_every_strategy() -> None:
    assert [row[0] for row in rows(below(4))] == [each.value for each in Strategy]


def test_section_5_has_every_transition_of_an_instance() -> None:
    table = {row[0]: set(words(row[1])) if len(row) > 1 else set() for row in rows(below(5))}
    assert table == {each.value: {to.value for to in goes_to} for each, goes_to in INSTANCE.items()}


def test_section_6_has_every_field_of_an_execution() -> None:
    documented = {name for row in rows(below(6)) for name in names(row[0])}
    fields = ExecutionResponse.model_fields.keys() - RequestResponse.model_fields.keys()
    assert documented == {_camel(ExecutionResponse, each) for each in fields}


@pytest.mark.parametrize("model", [InstanceResponse, PlanResponse, StatisticsResponse])
def test_section_6_names_every_field(model: type[InstanceResponse | PlanResponse | StatisticsResponse]) -> None:
    assert {_camel(model, each) for each in model.model_fields} - set(names(below(6).replace("\n", " "))) == set()


def _camel(model: type[ExecutionResponse | InstanceResponse | PlanResponse | StatisticsResponse], field: str) -> str:
    return model.model_fields[field].alias or field


def test_section_7_has_the_five_checks_in_their_order() -> None:
    assert [row[0] for row in rows(below(7))] == [each.value for each in CheckName]


def test_section_8_has_every_code_with_its_status_and_no_other() -> None:
    documented = {(int(row[0]), names(row[1])[0]) for row in rows(below(8))}
    raised = {code for route in calls().values() for code in codes_in(route.responses)}
    assert documented == {(KINDS[code].status.value, code) for code in raised}


def test_section_9_has_the_permissions_of_each_role() -> None:
    assert [row[0] for row in rows(below(9))] == [each.value for each in ROLES]


def test_section_10_has_every_type_of_event() -> None:
    (kinds,) = [each for each in below(10).split("\n\n") if each.startswith("`<what>`")]
    assert names(kinds)[1:] == [each.value for each in EventType]
