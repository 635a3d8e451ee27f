"""The OpenAPI document: complete, and no reference in it leads nowhere."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import ValidationError

from tests.browser.markup import read_html
from tests.unit.web.rendering import request_of
from upgrade_orchestrator.domain.errors import Unauthenticated
from upgrade_orchestrator.schemas.upgrades import UpgradeBody
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.web.app import create_app
from upgrade_orchestrator.web.http.error_responses import ApiRoute
from upgrade_orchestrator.web.http.idempotency import is_write
from upgrade_orchestrator.web.openapi.description import description, example_of
from upgrade_orchestrator.web.openapi.reference_page import reference_page
from upgrade_orchestrator.web.security import Caller

AUTHORIZATION = ("UNAUTHENTICATED", "FORBIDDEN", "TOO_MANY_REQUESTS", "SERVICE_UNAVAILABLE")
BODY = ("MALFORMED", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_FAILED")


async def no_ports() -> Ports:
    raise AssertionError("a description opens nothing")


async def no_user(_: Request) -> Caller:
    raise Unauthenticated("no user")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(no_ports, no_user)


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return description(app, "/api/v1/registry")


def test_every_reference_resolves_to_a_schema(document: dict[str, Any]) -> None:
    names = {each.removeprefix("#/components/schemas/") for each in references(document)}
    assert {"UpgradeBody", "ExecutionResponse"} < names
    assert names <= set(document["components"]["schemas"])


def references(part: Any) -> Iterator[str]:
    """Every `$ref` in it."""
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def calls(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each call by method and path."""
    return [(f"{name} {path}", call) for path, item in document["paths"].items() for name, call in item.items()]


def test_openapi_document_conforms_to_the_schema_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)


def test_every_call_with_a_body_describes_it(document: dict[str, Any]) -> None:
    reading = {path for path, item in document["paths"].items() for each in item.values() if "requestBody" in each}
    assert reading == {
        "/tenants/{tenantId}/upgrades",
        "/upgrades/{executionId}/stages/{n}/approve",
        "/upgrades/{executionId}/stages/{n}/reject",
        "/upgrades/{executionId}/revert",
        "/upgrades/{executionId}/release",
        "/deployments/fencing",
        "/components",
        "/components/{componentId}/versions",
        "/versions/{versionId}/status",
        "/versions/{versionId}/check-compatibility",
        "/upgrade-paths",
        "/tenants/{tenantId}/components/{componentId}/deployment",
        "/tenants/{tenantId}/components/{componentId}/backups",
    }


@pytest.mark.parametrize("key", ["kafka", "ka\x00fka"])
@pytest.mark.parametrize("value", ["3.6.0", {}])
def test_map_accepts_the_keys_and_values_that_its_schema_allows(
    document: dict[str, Any], key: str, value: object
) -> None:
    schema = document["components"]["schemas"]["UpgradeBody"]["properties"]["installedComponents"]
    fits = (key, value) == ("kafka", "3.6.0")
    assert jsonschema_rs.is_valid(schema, {key: value}) == fits
    assert accepts({"installedComponents": {key: value}}) == fits


def accepts(fields: dict[str, Any]) -> bool:
    needed = {"componentId": "a", "fromVersionId": "b", "toVersionId": "c"}
    try:
        UpgradeBody.model_validate(needed | fields)
    except ValidationError:
        return False
    return True


def test_status_view_is_not_part_of_the_openapi_description(app: FastAPI, document: dict[str, Any]) -> None:
    routes = {route.path_format for route in app.routes if isinstance(route, APIRoute)}
    own = {each for each in routes - set(document["paths"]) if not each.startswith("/view/")}
    assert own == {"/openapi.json", "/docs"}
    assert not [each for each in document["paths"] if each.startswith("/view/")]


def test_every_described_call_lists_its_refusals(app: FastAPI, document: dict[str, Any]) -> None:
    described = [each for each in app.routes if isinstance(each, APIRoute) and each.include_in_schema]
    assert len(described) == len(calls(document)) > 30
    assert [each.name for each in described if not isinstance(each, ApiRoute)] == []


REFUSED = {
    "get /health": {"SERVICE_UNAVAILABLE"},
    "get /components": {*AUTHORIZATION, "VALIDATION_FAILED"},
    "get /upgrades/{executionId}": {*AUTHORIZATION, "NOT_FOUND"},
    "post /components": {*AUTHORIZATION, *BODY, "IDEMPOTENCY_CONFLICT", "ALREADY_EXISTS"},
    "post /upgrades/{executionId}/pause": {
        *(*AUTHORIZATION, "NOT_FOUND", "PAYLOAD_TOO_LARGE", "VALIDATION_FAILED"),
        *("IDEMPOTENCY_CONFLICT", "INVALID_STATE", "CONCURRENT_CHANGE"),
    },
    "post /versions/{versionId}/check-compatibility": {*AUTHORIZATION, *BODY, "NOT_FOUND", "VERSION_MISMATCH"},
}
"One call of each shape."


@pytest.mark.parametrize("call", REFUSED)
def test_call_lists_the_common_refusals_and_its_own(document: dict[str, Any], call: str) -> None:
    responses = dict(calls(document))[call]["responses"]
    found = [code for each in responses.values() for code in problems_in(each)]
    assert len(found) == len(set(found))
    assert set(found) == REFUSED[call]
    for status, each in responses.items():
        assert {example["value"]["status"] for example in problems_in(each).values()} <= {int(status)}


def problems_in(response: dict[str, Any]) -> dict[str, Any]:
    """The examples of its refusals by code."""
    content = response.get("content", {}).get("application/problem+json", {})
    examples: dict[str, Any] = content.get("examples", {})
    assert (
        list(examples)
        == content.get("schema", {"allOf": [{}, {"properties": {"code": {"enum": []}}}]})["allOf"][1]["properties"][
            "code"
        ]["enum"]
    )
    return examples


def test_only_writes_accept_an_idempotency_key(app: FastAPI, document: dict[str, Any]) -> None:
    for route in (each for each in app.routes if isinstance(each, ApiRoute)):
        (method,) = route.methods
        operation = dict(calls(document))[f"{method.lower()} {route.path_format}"]
        described = [each for each in operation.get("parameters", ()) if each["name"] == "Idempotency-Key"]
        assert len(described) == is_write(route), route.name


@pytest.mark.parametrize(
    "path", ["/upgrades/{executionId}", "/tenants/{tenantId}/components/{componentId}/upgrades/active"]
)
def test_execution_describes_its_etag_and_if_none_match(document: dict[str, Any], path: str) -> None:
    operation = document["paths"][path]["get"]
    assert "If-None-Match" in {each["name"] for each in operation["parameters"]}
    tagged = {status for status, each in operation["responses"].items() if "ETag" in each.get("headers", {})}
    assert tagged == {"200", "304"}


@pytest.fixture(scope="module")
def validator_of(document: dict[str, Any]) -> Callable[[dict[str, Any]], jsonschema_rs.Validator]:
    """Validators of the document's schemas; most calls share those of their refusals, and one takes long to make."""
    made: dict[str, jsonschema_rs.Validator] = {}

    def find(schema: dict[str, Any]) -> jsonschema_rs.Validator:
        name = json.dumps(schema, sort_keys=True)
        if name not in made:
            made[name] = jsonschema_rs.validator_for(schema | {"components": document["components"]})
        return made[name]

    return find


def test_every_response_and_refusal_has_an_example_that_conforms_to_its_schema(
    document: dict[str, Any], validator_of: Callable[[dict[str, Any]], jsonschema_rs.Validator]
) -> None:
    for call, operation in calls(document):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                found = [each["value"] for each in content.get("examples", {}).values()] or [content["example"]]
                validator = validator_of(content["schema"])
                for example in found:
                    validator.validate(example)
                    assert status[0] == "2" or str(example["status"]) == status, call


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string", "examples": ["kafka"], "default": "x"}, "kafka"),
        ({"enum": ["STABLE", "EOL"]}, "STABLE"),
        ({"type": "integer", "default": 5}, 5),
        ({"type": "boolean"}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"anyOf": [{"$ref": "#/components/schemas/Named"}, {"type": "null"}]}, {"name": "kafka"}),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Named"}}, [{"name": "kafka"}]),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {}),
    ],
)
def test_example_is_made_of_the_examples_and_defaults_of_its_parts(schema: dict[str, Any], example: object) -> None:
    named = {"type": "object", "properties": {"name": {"type": "string", "examples": ["kafka"]}}}
    assert example_of(schema, {"Named": named}) == example


def test_text_field_without_an_example_is_reported() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    with pytest.raises(LookupError, match="no example"):
        example_of(schema, {})


def test_every_body_has_an_example_that_is_accepted(app: FastAPI, document: dict[str, Any]) -> None:
    models = {each.__name__: each for each in app.state.bodies}
    shown = {}
    for operation in (each for _, each in calls(document) if "requestBody" in each):
        (content,) = operation["requestBody"]["content"].values()
        shown[content["schema"]["$ref"].rsplit("/", 1)[-1]] = content["example"]
    assert shown.keys() == models.keys()
    for name, example in shown.items():
        models[name].model_validate_json(json.dumps(example))


def test_every_path_parameter_has_an_example_that_conforms_to_its_schema(document: dict[str, Any]) -> None:
    for call, operation in calls(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                jsonschema_rs.validate(parameter["schema"], parameter["schema"]["examples"][0])
                assert f"{{{parameter['name']}}}" in call


def test_parameters_are_not_nullable(document: dict[str, Any]) -> None:
    parameters = [
        each for item in document["paths"].values() for call in item.values() for each in call.get("parameters", ())
    ]
    assert {"Last-Event-ID", "cursor", "reason"} <= {each["name"] for each in parameters}
    assert [each["name"] for each in parameters if "null" in json.dumps(each["schema"])] == []


def test_every_call_but_health_describes_401_403_429_and_503_with_their_headers(document: dict[str, Any]) -> None:
    for call, operation in calls(document):
        wanted = {"503"} if call == "get /health" else {"401", "403", "429", "503"}
        assert wanted <= set(operation["responses"]), call
        assert {"Retry-After"} == set(operation["responses"]["503"]["headers"])
        assert (operation.get("security") == []) == (call == "get /health")


def test_dry_run_is_distinguished_from_a_creation(document: dict[str, Any]) -> None:
    answers = document["paths"]["/tenants/{tenantId}/upgrades"]["post"]["responses"]
    shown = {code: answers[code]["content"]["application/json"]["schema"]["$ref"] for code in ("200", "201")}
    assert {code: name.rsplit("/", 1)[-1] for code, name in shown.items()} == {
        "200": "PreviewResponse",
        "201": "ExecutionResponse",
    }


def test_documentation_page_has_every_call_and_loads_nothing_from_other_servers(document: dict[str, Any]) -> None:
    text = bytes(reference_page(request_of("/api/v1/registry/docs"), document).body).decode()
    page = read_html(text)
    for path in document["paths"]:
        assert path in page.text
    assert all(each["src"].startswith("view/static/") for each in page.all("script"))
    addresses = [each[name] for name in ("src", "href") for each in page.all(f"[{name}]")]
    assert [each for each in addresses if urlsplit(each).netloc] == []
    assert not [each for each in ("@import", "url(") if each in text]
