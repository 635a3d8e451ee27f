"""The form's table says what the request itself says, and what does not go together is refused by name."""

from dataclasses import fields
from typing import Any

import pytest

from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.domain.operations.request_fields import FIELDS, request_from

NEEDED = {"componentId": "aaa-111", "fromVersionId": "bbb-222", "toVersionId": "ccc-333"}


def refused(**changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refusal:
        request_from(NEEDED | changed)
    errors: Any = refusal.value.extra["errors"]
    return [(each["field"], each["message"]) for each in errors]


def test_fields_are_those_of_the_request_in_its_order() -> None:
    assert [each.attribute for each in FIELDS] == [each.name for each in fields(UpgradeRequest)]


def test_what_is_left_out_has_the_default_of_the_request() -> None:
    asked = UpgradeRequest(component_id="aaa-111", from_version_id="bbb-222", to_version_id="ccc-333")
    assert request_from(NEEDED) == asked
    assert request_from(NEEDED | {each.name: each.default for each in FIELDS if not each.required}) == asked


def test_what_is_given_is_taken() -> None:
    installed = {"postgresql": "16.1"}
    given = {"strategy": "STAGED", "stagePercentages": [50, 100], "installedComponents": installed, "batchSize": 7}
    request = request_from(NEEDED | given)
    assert (request.strategy, request.stage_percentages) == (Strategy.STAGED, (50, 100))
    assert (request.installed_components, request.batch_size) == (installed, 7)


def test_whole_number_is_an_integer_however_the_form_writes_it() -> None:
    request = request_from(NEEDED | {"strategy": "STAGED", "batchSize": 7.0, "stagePercentages": [50.0, 100]})
    assert (request.batch_size, type(request.batch_size)) == (7, int)
    assert [type(each) for each in request.stage_percentages or ()] == [int, int]


def test_typo_does_not_silently_become_a_default() -> None:
    assert refused(batchsize=7) == [("batchsize", "is not a field of the request")]


@pytest.mark.parametrize("stages", [[50], [50, 50, 100], [60, 40, 100]])
def test_stages_that_do_not_rise_to_a_hundred_are_refused(stages: list[int]) -> None:
    message = "must rise and end at 100, such as [10, 50, 100]"
    assert refused(strategy="STAGED", stagePercentages=stages) == [("stagePercentages", message)]


@pytest.mark.parametrize("strategy", [{}, {"strategy": "CANARY"}])
def test_stages_of_another_strategy_are_refused(strategy: dict[str, str]) -> None:
    found = refused(stagePercentages=[50, 100], **strategy)
    assert found == [("stagePercentages", "goes with strategy STAGED only")]


def test_same_version_is_refused() -> None:
    assert refused(toVersionId="bbb-222") == [("toVersionId", "must differ from fromVersionId")]


def test_every_offending_field_is_named() -> None:
    assert [field for field, _ in refused(colour="red", toVersionId="bbb-222", stagePercentages=[1])] == [
        "colour",
        "toVersionId",
        "stagePercentages",
    ]
