import importlib
import json
import re
from functools import cache
from typing import Any

import pytest

from tests.architecture.sources import python_files, relative
from tests.architecture.test_arrows import module_name
from upgrade_orchestrator.domain import errors
from upgrade_orchestrator.domain.errors import (
    ActiveUpgradeExists,
    InvalidState,
    Unauthenticated,
    Unavailable,
    UpgradeBlocked,
    UpgradeError,
    ValidationFailed,
)
from upgrade_orchestrator.schemas.errors import field_errors
from upgrade_orchestrator.web.http.middleware import request_id_of
from upgrade_orchestrator.web.http.problems import KINDS, ProblemResponse, problem, unexpected
from upgrade_orchestrator.web.http.rate_limits import TooManyRequests

STATUSES = {
    "VALIDATION_FAILED": 422,
    "NOT_FOUND": 404,
    "NO_ACTIVE_UPGRADE": 404,
    "ACTIVE_UPGRADE_EXISTS": 409,
    "VERSION_MISMATCH": 422,
    "UPGRADE_BLOCKED": 422,
    "INVALID_STATE": 409,
    "IDEMPOTENCY_CONFLICT": 409,
    "SERVICE_UNAVAILABLE": 503,
}
"As the specification has them (section 8)."


KNOWN = [name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, UpgradeError)]


def refusals(base: type[UpgradeError] = UpgradeError) -> set[type[UpgradeError]]:
    """The base and every class of the product that is derived from it."""
    import_modules_with_refusals()
    ours = {each for each in base.__subclasses__() if each.__module__.startswith("upgrade_orchestrator.")}
    return {base}.union(*map(refusals, ours))


@cache
def import_modules_with_refusals() -> None:
    """A class that no module has imported yet would not be among the subclasses."""
    for source in python_files("include"):
        if re.search(rf"^class \w+\(({'|'.join(KNOWN)})\)", source.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(module_name(relative(source)))


REFUSALS = sorted(refusals(), key=lambda kind: kind.__name__)
MEMBERS = {"type", "title", "status", "detail", "instance", "code"}


def content_of(response: ProblemResponse) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(bytes(response.body))
    return body


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_becomes_a_problem_with_all_members(kind: type[UpgradeError]) -> None:
    error = kind.__new__(kind)
    UpgradeError.__init__(error, "why")
    response = problem(error, "/x")
    body = content_of(response)
    assert set(body) == MEMBERS
    assert (body["status"], body["code"], body["detail"]) == (response.status_code, kind.code, "why")
    assert response.media_type == "application/problem+json"


def test_every_refusal_has_a_status_and_a_title_and_no_entry_is_unused() -> None:
    assert {TooManyRequests.code, errors.LostLease.code, UpgradeError.code} < {kind.code for kind in REFUSALS}
    assert {kind.code for kind in REFUSALS} == set(KINDS)
    assert all(400 <= kind.status < 600 and kind.title for kind in KINDS.values())


def test_refusals_have_the_status_of_the_specification() -> None:
    assert {code: KINDS[code].status for code in STATUSES} == STATUSES


@pytest.mark.parametrize(
    ("error", "member", "value"),
    [
        (ActiveUpgradeExists("e1"), "activeExecutionId", "e1"),
        (UpgradeBlocked(["no path"]), "blockers", ["no path"]),
        (InvalidState("pause", "PAUSED", ["IN_PROGRESS"]), "allowedFrom", ["IN_PROGRESS"]),
        (InvalidState("pause", "PAUSED", ["IN_PROGRESS"]), "currentStatus", "PAUSED"),
        (ValidationFailed.of("a", "b"), "errors", [{"field": "a", "message": "b"}]),
    ],
)
def test_problem_has_the_members_of_its_code(error: UpgradeError, member: str, value: object) -> None:
    assert content_of(problem(error, "/x"))[member] == value


def test_extra_cannot_replace_a_member_of_the_standard() -> None:
    body = content_of(problem(UpgradeError("why", status="PAUSED", code="X"), "/x"))
    assert (body["status"], body["code"]) == (500, "INTERNAL_ERROR")


def test_headers_go_with_401_and_503_only() -> None:
    assert problem(Unavailable("x"), "/").headers["Retry-After"] == "5"
    assert problem(Unauthenticated("x"), "/").headers["WWW-Authenticate"] == "Bearer"
    assert not {"retry-after", "www-authenticate"} & set(problem(errors.NotFound("x"), "/").headers)


def test_unexpected_problem_names_the_request_only() -> None:
    body = content_of(unexpected("r-1", "/x"))
    assert (body["status"], body["code"]) == (500, "INTERNAL_ERROR")
    assert "r-1" in body["detail"]


def test_field_error_never_repeats_the_value() -> None:
    found = [{"loc": ("a", 0, "b"), "type": "string_type", "msg": "Input should be a valid string", "input": "hunter2"}]
    assert field_errors(found) == [{"field": "a.0.b", "message": "should be a valid string"}]


@pytest.mark.parametrize("given", ["ci-4711", "Root=1-67891233-abcdef012345678912345678"])
def test_valid_request_id_is_kept(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize("given", [None, "", "two words", "x\r\nSet-Cookie: a=b", "é", "x" * 129])
def test_invalid_request_id_is_replaced(given: str | None) -> None:
    assert request_id_of(given) not in (given, "")
