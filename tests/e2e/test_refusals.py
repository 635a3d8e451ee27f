"""Bad input and callers who may not, through Airflow's real authentication: refused, and nothing is stored."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import COMPONENT, Tenant, got

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def tenant(new_tenant: NewTenant) -> Tenant:
    return new_tenant(2)


@pytest.fixture(scope="module")
def foreign_version(api: httpx.Client) -> str:
    """A version of another component."""
    assert api.post("/components", json={"id": "other", "name": "Other"}).status_code == 201
    answer = api.post("/components/other/versions", json={"id": "other-1", "version": "1.0"})
    assert answer.status_code == 201, answer.text
    return "other-1"


def _stored(tenant: Tenant) -> int:
    return len(got(tenant.api, f"/tenants/{tenant.id}/upgrades")["items"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"batchSise": 5}, "batchSise"),
        ({"batchSize": "5"}, "batchSize"),
        ({"batchSize": 0}, "batchSize"),
        ({"maxUnavailablePercentage": 101}, "maxUnavailablePercentage"),
        ({"autoRollbackEnabled": "yes"}, "autoRollbackEnabled"),
        ({"strategy": "SOMEHOW"}, "strategy"),
        ({"toVersionId": "bbb-222"}, "toVersionId"),
    ],
)
def test_create_names_the_field_when_it_is_not_accepted(tenant: Tenant, changed: dict[str, Any], field: str) -> None:
    answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body(**changed))
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert _stored(tenant) == 0


def test_create_refuses_what_is_not_known(tenant: Tenant, foreign_version: str) -> None:
    path = f"/tenants/{tenant.id}/upgrades"
    expected = {
        "componentId": (404, "NOT_FOUND", "nothing"),
        "fromVersionId": (404, "NOT_FOUND", "nothing"),
        "toVersionId": (422, "VERSION_MISMATCH", foreign_version),
    }
    for field, (status, code, value) in expected.items():
        answer = tenant.api.post(path, json=tenant.body(**{field: value}))
        assert (answer.status_code, answer.json()["code"]) == (status, code), field
    assert tenant.api.post("/tenants/nobody/upgrades", json=tenant.body()).status_code == 404
    assert tenant.api.post("/upgrades/nothing/start").status_code == 404
    assert _stored(tenant) == 0


def test_create_is_blocked_when_a_dependency_is_out_of_range(tenant: Tenant) -> None:
    body = tenant.body(installedComponents={"kafka": "3.6.0", "postgresql": "14.9"})
    answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "UPGRADE_BLOCKED")
    assert "postgresql" in answer.json()["blockers"][0]
    assert _stored(tenant) == 0


def test_create_refuses_a_body_of_two_mebibytes(tenant: Tenant) -> None:
    answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body(initiatedBy="x" * (2 << 20)))
    assert answer.status_code == 413
    assert _stored(tenant) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": NaN}'])
def test_create_refuses_what_is_not_a_json_object(tenant: Tenant, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM
    assert _stored(tenant) == 0


def test_second_create_names_the_first_while_it_is_active(new_tenant: NewTenant) -> None:
    tenant = new_tenant(2)
    first = tenant.create()
    answer = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body())
    assert (answer.status_code, answer.json()["code"]) == (409, "ACTIVE_UPGRADE_EXISTS")
    assert answer.json()["activeExecutionId"] == first
    assert _stored(tenant) == 1


@pytest.mark.parametrize("path", ["/upgrades/any", "/tenants/any/upgrades", "/components", "/openapi.json", "/docs"])
def test_nothing_is_told_without_a_token(stranger: httpx.Client, path: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)


def test_nothing_is_created_without_a_valid_token(stranger: httpx.Client, tenant: Tenant) -> None:
    for headers in ({}, {"Authorization": "Bearer not.a.token"}):
        answer = stranger.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body(), headers=headers)
        assert answer.status_code == 401
    assert _stored(tenant) == 0


def test_health_and_no_secret_is_told_without_a_token(stranger: httpx.Client) -> None:
    assert stranger.get("/health").json()["status"] == "ok"


def test_viewer_reads_and_may_not_create(tenant: Tenant, client_of: Callable[[str], httpx.Client]) -> None:
    viewer = client_of("vera")
    assert viewer.get(f"/tenants/{tenant.id}/upgrades").status_code == 200
    answer = viewer.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body())
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert _stored(tenant) == 0


def test_operator_creates_and_may_not_change_the_registry(
    new_tenant: NewTenant, client_of: Callable[[str], httpx.Client]
) -> None:
    tenant, operator = new_tenant(2), client_of("otto")
    created = operator.post(f"/tenants/{tenant.id}/upgrades", json=tenant.body())
    assert (created.status_code, created.json()["createdBy"]) == (201, "otto")
    assert operator.post("/components", json={"id": "mine", "name": "Mine"}).status_code == 403
    deployment = f"/tenants/{tenant.id}/components/{COMPONENT}/deployment"
    assert operator.put(deployment, json={}).status_code == 403
    assert tenant.api.get("/components/mine/versions").status_code == 404
