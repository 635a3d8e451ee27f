"""The form has the fields and defaults of the request, and invalid combinations are refused by field."""

from dataclasses import fields
from typing import Any

import pytest

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.schemas.request_form import TENANT, FormField, form_fields, request_from
from upgrade_orchestrator.schemas.upgrades import UpgradeBody

NEEDED = {"componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}


def refused(**changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refusal:
        request_from(NEEDED | changed)
    errors: Any = refusal.value.extra["errors"]
    return [(each["field"], each["message"]) for each in errors]


def test_request_form_has_the_tenant_and_the_fields_of_the_request_in_their_order() -> None:
    assert list(UpgradeBody.model_fields) == [each.name for each in fields(UpgradeRequest)]
    aliases = [each.alias for each in UpgradeBody.model_fields.values()]
    assert [each.name for each in form_fields()] == [TENANT.name, *aliases]


def test_form_field_has_its_type_its_description_and_its_default() -> None:
    found = {each.name: each for each in form_fields()}
    size = {"type": "integer", "minimum": 1, "maximum": 1000}
    asked = FormField("batchSize", size, "Maximum number of instances that are worked on at once.", 5)
    assert found["batchSize"] == asked
    assert found["strategy"].schema == {"type": "string", "enum": [each.value for each in Strategy]}
    assert found["totalInstances"].schema == {"type": ["null", "integer"], "minimum": 1, "maximum": 10000}
    assert [name for name, each in found.items() if each.required] == ["tenantId", *NEEDED]
    assert all(each.description for each in found.values())


def test_omitted_field_has_the_default_of_the_request() -> None:
    asked = UpgradeRequest(component_id="aaa-111", from_version_id="bbb-222", to_version_id="ccc-333")
    assert request_from(NEEDED) == asked
    assert request_from(NEEDED | {each.name: each.default for each in form_fields() if not each.required}) == asked


def test_given_fields_are_used_in_the_request() -> None:
    installed = {"postgresql": "16.1"}
    given = {"strategy": "STAGED", "stagePercentages": [50, 100], "installedComponents": installed, "batchSize": 7}
    request = request_from(NEEDED | given)
    assert (request.strategy, request.stage_percentages) == (Strategy.STAGED, (50, 100))
    assert (request.installed_components, request.batch_size) == (installed, 7)


def test_whole_number_is_an_integer_in_every_notation_of_the_form() -> None:
    request = request_from(NEEDED | {"strategy": "STAGED", "batchSize": 7.0, "stagePercentages": [50.0, 100]})
    assert (request.batch_size, type(request.batch_size)) == (7, int)
    assert [type(each) for each in request.stage_percentages or ()] == [int, int]


def test_misspelled_field_is_refused() -> None:
    assert refused(batchsize=7) == [("batchsize", "unknown field")]


@pytest.mark.parametrize("stages", [[50], [50, 50, 100], [60, 40, 100]])
def test_stage_percentages_that_do_not_rise_to_100_are_refused(stages: list[int]) -> None:
    message = "must rise and end at 100, such as [10, 50, 100]"
    assert refused(strategy="STAGED", stagePercentages=stages) == [("stagePercentages", message)]


@pytest.mark.parametrize("strategy", [{}, {"strategy": "CANARY"}])
def test_stage_percentages_of_another_strategy_are_refused(strategy: dict[str, str]) -> None:
    found = refused(stagePercentages=[50, 100], **strategy)
    assert found == [("stagePercentages", "is allowed only with strategy STAGED")]


def test_upgrade_to_the_same_version_is_refused() -> None:
    assert refused(toVersionId="bbb-222") == [("toVersionId", "must differ from fromVersionId")]


def test_every_offending_field_is_named() -> None:
    assert [field for field, _ in refused(colour="red", toVersionId="bbb-222", stagePercentages=[1])] == [
        "toVersionId",
        "stagePercentages",
        "colour",
    ]
