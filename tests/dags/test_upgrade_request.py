"""The DAG that requests an upgrade: its form has the fields of the request, and two parses give one version."""

from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from upgrade_orchestrator.domain.errors import NotFound, ValidationFailed
from upgrade_orchestrator.flow.request.dag import build_upgrade_request
from upgrade_orchestrator.flow.request.tasks import API, explain
from upgrade_orchestrator.schemas.request_form import request_from
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.web.app import URL_PREFIX

RANGES = {"type", "minimum", "maximum", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems"}
RANGES |= {"maxProperties"}
NEEDED: dict[str, Any] = {"componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}


def form() -> dict[str, Any]:
    """The params: name to (default, schema)."""
    params = build_upgrade_request().params
    return {name: (params.get_param(name).value, params.get_param(name).schema) for name in params}


def body_schema() -> dict[str, Any]:
    """The fields of the API's body, each as one schema."""
    schema = UpgradeBody.model_json_schema(by_alias=True)
    fields = {name: _flat(each, schema["$defs"]) for name, each in schema["properties"].items()}
    return {name: each if name in schema["required"] else _may_be_empty(each) for name, each in fields.items()}


def _flat(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema without references, and with nullable types as Airflow's form has them."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]] | schema
    if "anyOf" in schema:
        (value,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        schema = schema | value | {"type": ["null", value["type"]]}
    return schema


def _may_be_empty(schema: dict[str, Any]) -> dict[str, Any]:
    """A form sends null for an optional field without a default, which a body leaves out."""
    return schema if "default" in schema else schema | {"type": ["null", schema["type"]], "default": None}


def ranges(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in RANGES if name in schema}


def test_trigger_form_has_the_fields_of_the_body_and_the_tenant() -> None:
    assert list(form()) == ["tenantId", *body_schema()]


@pytest.mark.parametrize("name", list(body_schema()))
def test_form_field_accepts_the_same_values_as_the_request_body(name: str) -> None:
    body, (_, schema) = body_schema()[name], form()[name]
    assert ranges(schema) == ranges(body)
    assert ranges(schema.get("items", {})) == ranges(body.get("items", {}))


def test_installed_components_of_the_form_have_the_names_and_versions_of_the_body() -> None:
    body, (_, schema) = body_schema()["installedComponents"], form()["installedComponents"]
    names = ("propertyNames", "patternProperties", "additionalProperties")
    assert [schema[each] for each in names] == [body[each] for each in names]


@pytest.mark.parametrize("name", list(body_schema()))
def test_form_field_is_preset_with_the_default_of_the_body(name: str) -> None:
    body, (default, _) = body_schema()[name], form()[name]
    if "default" in body:
        assert default == body["default"]
    else:
        assert name in NEEDED
        with pytest.raises(ParamValidationError):
            build_upgrade_request().params[name]


def test_form_describes_each_field() -> None:
    params = build_upgrade_request().params
    assert all(params.get_param(name).description for name in params)


def test_form_submitted_with_its_defaults_is_a_valid_request() -> None:
    params = build_upgrade_request().params
    params.update({"tenantId": "550e8400", **NEEDED})
    values = params.validate()
    del values["tenantId"]
    assert request_from(values) == UpgradeBody(**NEEDED).to_domain()


@pytest.mark.parametrize(
    "wrong",
    [
        {"batchSize": 0},
        {"batchSize": "5"},
        {"strategy": "rolling"},
        {"componentId": "a b"},
        {"installedComponents": {"kafka": 3}},
        {"stagePercentages": [0, 100]},
        {"totalInstances": 10001},
        {"initiatedBy": "a\x00"},
        {"installedComponents": {"a\x00": "1"}},
        {"installedComponents": {"a": "1\x00"}},
    ],
)
def test_form_refuses_values_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError, match=next(iter(wrong))):
        build_upgrade_request().params.update(wrong)


def test_request_dag_has_no_schedule_and_three_tasks() -> None:
    dag = build_upgrade_request()
    assert (dag.dag_id, dag.schedule, dag.is_paused_upon_creation) == ("upgrade_request", None, False)
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "create": {"start"},
        "start": {"follow"},
        "follow": set(),
    }
    assert all(task.retries > 0 and task.do_xcom_push for task in dag.tasks)
    assert dag.get_task("create").retries < dag.get_task("follow").retries


def test_runs_of_the_request_dag_do_not_wait_for_each_other() -> None:
    assert build_upgrade_request().max_active_runs >= 1000


def test_refusal_is_logged_with_its_code_and_every_field() -> None:
    errors = [{"field": "a", "message": "is wrong"}, {"field": "b", "message": "is too long"}]
    message = "VALIDATION_FAILED: not accepted: a, b; a is wrong; b is too long"
    assert explain(ValidationFailed(errors)) == message
    assert explain(NotFound("there is no version 7")) == "NOT_FOUND: there is no version 7"


def test_links_of_the_operators_start_with_the_prefix_of_the_api() -> None:
    assert f"{URL_PREFIX}/upgrades" == API
