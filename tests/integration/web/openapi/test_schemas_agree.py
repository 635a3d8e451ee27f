"""What a body's schema allows and what is accepted are the same: bodies made from each schema, good and bad."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi import Request
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from upgrade_orchestrator.domain.errors import Unauthenticated, UpgradeError
from upgrade_orchestrator.schemas.commands import DecisionBody, FencingBody, ReleaseBody, RevertBody
from upgrade_orchestrator.schemas.registry import BODIES
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.web.app import create_app
from upgrade_orchestrator.web.http.bodies import parse
from upgrade_orchestrator.web.openapi.description import description
from upgrade_orchestrator.web.security import Caller

EXAMPLES = 10
"Of each body and kind; `make soak` sends thousands (campaign `calls`)."

TOGETHER = {
    ("UpgradeBody", "toVersionId"): ("must differ from fromVersionId",),
    ("UpgradeBody", "stagePercentages"): ("is allowed only with strategy STAGED", "must rise and end at 100"),
    ("PathBody", "toVersionId"): ("must differ from fromVersionId",),
    ("CompatibilityBody", "platformVersion"): ("has no order",),
}
"Rules that a schema cannot express: combinations of values, and the syntax of versions."


NAMES = [each.__name__ for each in (UpgradeBody, DecisionBody, RevertBody, ReleaseBody, FencingBody, *BODIES)]


async def no_ports() -> Ports:
    raise AssertionError("a description opens nothing")


async def no_user(_: Request) -> Caller:
    raise Unauthenticated("no user")


@dataclass(frozen=True)
class Described:
    """The app's bodies, its description, and for each body a call that takes it."""

    models: dict[str, type[BaseModel]]
    document: dict[str, Any]
    operations: dict[str, Any]


@pytest.fixture(scope="module")
def described() -> Described:
    app = create_app(no_ports, no_user)
    document = description(app, "/api/v1/registry")
    models = {each.__name__: each for each in app.state.bodies}
    return Described(models, document, dict(_operations(document)))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        read = document["paths"][operation.path][operation.method].get("requestBody")
        if read is not None:
            yield read["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1], operation


def test_every_request_body_is_covered(described: Described) -> None:
    assert set(described.operations) == set(described.models) == set(NAMES)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_model_accepts_exactly_what_its_schema_allows(described: Described, name: str, mode: GenerationMode) -> None:
    whole = {"$ref": f"#/components/schemas/{name}", "components": described.document["components"]}
    validator = jsonschema_rs.validator_for(whole, validate_formats=True)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(described.operations[name].as_strategy(generation_mode=mode))
    def agree(case: Any) -> None:
        if not isinstance(case.body, dict | list | str | int | float | bool | None):
            return  # no body at all
        wanted = validator.is_valid(case.body)
        assert is_taken(described.models[name], json.dumps(case.body).encode()) in (wanted, None), (wanted, case.body)

    agree()


def is_taken(model: type[BaseModel], content: bytes) -> bool | None:
    """None: refused only for how the values go with each other."""
    try:
        parse(model, content)
    except UpgradeError as refusal:
        errors: Any = refusal.extra.get("errors", [])
        together = [each["message"] for each in errors if _is_of_together(model.__name__, each)]
        return None if errors and len(together) == len(errors) else False
    return True


def _is_of_together(name: str, error: dict[str, str]) -> bool:
    return any(said in error["message"] for said in TOGETHER.get((name, error["field"]), ()))
