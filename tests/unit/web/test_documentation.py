"""The OpenAPI document: complete, and no reference in it leads nowhere."""

import json
import re
from typing import Any

import pytest
from fastapi import Request
from fastapi.routing import APIRoute

from include.upgrades.domain.errors import Unauthenticated
from include.upgrades.service.ports import Ports
from include.upgrades.web.app import create_app
from include.upgrades.web.documentation import description
from include.upgrades.web.security import Caller


async def no_ports() -> Ports:
    raise AssertionError("a description opens nothing")


async def nobody(_: Request) -> Caller:
    raise Unauthenticated("nobody")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description(create_app(no_ports, nobody), "/api/v1/registry")


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    names = set(re.findall(r"#/components/schemas/([\w.\[\]-]+)", json.dumps(document)))
    assert {"UpgradeBody", "ExecutionAnswer"} < names
    assert names <= set(document["components"]["schemas"])


def test_every_call_that_reads_a_body_says_so(document: dict[str, Any]) -> None:
    reading = {path for path, item in document["paths"].items() for each in item.values() if "requestBody" in each}
    assert reading == {
        "/tenants/{tenantId}/upgrades",
        "/components",
        "/components/{componentId}/versions",
        "/versions/{versionId}/status",
        "/versions/{versionId}/check-compatibility",
        "/upgrade-paths",
        "/tenants/{tenantId}/components/{componentId}/deployment",
        "/tenants/{tenantId}/components/{componentId}/backups",
    }


def test_own_pages_are_not_part_of_the_description(document: dict[str, Any]) -> None:
    routes = {route.path for route in create_app(no_ports, nobody).routes if isinstance(route, APIRoute)}
    assert routes - set(document["paths"]) == {"/openapi.json", "/docs"}
