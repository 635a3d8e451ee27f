"""Generated calls over the whole description of the API: no 5xx, and every answer is one that the description knows.

Every check of schemathesis is on. The cases are moved to a tenant and a component of their own, and many to an
execution that is there, so that they reach what an unknown id would keep them from and spoil nothing for others.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData

from tests.e2e.conftest import NewTenant
from tests.e2e.steps import Json, Tenant

COMPONENT, OLD, NEW = "generated", "generated-1", "generated-2"
CASES_A_CALL, AT_LEAST = 35, 2000

pytestmark = pytest.mark.timeout(900)

_OTHERS = {"550e8400", "aaa-111", "bbb-222", "ccc-333"}
_turn = itertools.count()


@dataclass
class Outcome:
    """What became of the cases: how many by call, and what was wrong with which."""

    cases: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.NonFatalError | events.FatalError):
            self.problems[str(len(self.problems))] = repr(event)
        if not isinstance(event, events.ScenarioFinished):
            return
        recorder = event.recorder
        self.cases[recorder.label] += len(recorder.interactions)
        for case_id, checks in recorder.checks.items():
            for info in (each.failure_info for each in checks if each.failure_info is not None):
                answer = recorder.interactions[case_id].response
                told = answer.content.decode(errors="replace") if answer and answer.content else ""
                if not (isinstance(info.failure, RejectedPositiveData) and is_no_matter_of_schema(told)):
                    where = f"{recorder.label} {info.failure.title}"
                    self.problems.setdefault(where, f"{info.failure.message}\n{info.code_sample[:1000]}\n{told[:1000]}")


def is_no_matter_of_schema(answer: str) -> bool:
    """Whether what fits the schema was refused for what no schema tells: how the values go with each other."""
    body: Json = json.loads(answer)
    if body["status"] != 422 or body["code"] in ("VERSION_MISMATCH", "UPGRADE_BLOCKED"):
        return bool(body["status"] == 422)
    return all(each["field"].split(".")[0] in _TOGETHER for each in body["errors"])


_TOGETHER = {
    "cursor",
    "fromVersionId",
    "toVersionId",
    "stagePercentages",
    "version",
    "minPlatformVersion",
    "maxPlatformVersion",
} | {*("dependencies", "releaseDate", "endOfLifeDate", "platformVersion", "blockers")}
"Opaque; or ordered, unequal, in order, a version or a range of versions."


@pytest.fixture(scope="module")
def home(new_tenant: NewTenant) -> Tenant:
    """The cases' own tenant, component and versions; with a deployment on a fleet."""
    tenant = new_tenant(2)
    for path, body in _furniture():
        answer = tenant.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
    deployment = {"driver": "agent", "connId": "demo_fleet", "fleet": tenant.fleet, "currentVersionId": OLD}
    assert tenant.api.put(f"/tenants/{tenant.id}/components/{COMPONENT}/deployment", json=deployment).is_success
    return tenant


def _furniture() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "/components", {"id": COMPONENT, "name": COMPONENT}
    for identifier, version in ((OLD, "3.6.0"), (NEW, "3.7.0")):
        yield f"/components/{COMPONENT}/versions", {"id": identifier, "version": version}
    way = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW, "tested": True}
    yield "/upgrade-paths", {"id": "generated-path", **way}


@pytest.fixture(scope="module")
def execution(home: Tenant) -> Iterator[str]:
    body = {"componentId": COMPONENT, "fromVersionId": OLD, "toVersionId": NEW}
    created = home.api.post(f"/tenants/{home.id}/upgrades", json=body)
    assert created.status_code == 201, created.text
    yield created.json()["id"]
    home.api.post(f"/upgrades/{created.json()['id']}/cancel")


@pytest.fixture(scope="module")
def outcome(api: httpx.Client, home: Tenant, execution: str) -> Outcome:
    """All cases, made and sent."""
    document = api.get("/openapi.json").raise_for_status().json()
    generation = GenerationConfig(max_examples=CASES_A_CALL, deterministic=True, no_shrink=True)
    project = ProjectConfig(
        base_url=str(api.base_url).rstrip("/"),
        headers={"Authorization": api.headers["Authorization"]},
        generation=generation,
        # its own list, and too large a body
        checks=ChecksConfig(negative_data_rejection=NegativeDataRejectionConfig(expected_statuses=["4xx"])),
        request_timeout=60,
        continue_on_failure=True,
    )
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document, config=config)

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        _move(case, home.id, execution)

    found = Outcome()
    try:
        for event in engine.from_schema(schema).execute():
            found.add(event)
    finally:
        schemathesis.hooks.unregister_all()
    return found


def _move(case: Any, tenant: str, execution: str) -> None:
    """Where there is something, two times of three; away from what others use, always."""
    own = {"tenantId": tenant, "componentId": COMPONENT, "versionId": NEW, "executionId": execution}
    there = next(_turn) % 3
    for name, value in (case.path_parameters or {}).items():
        if name in own and (value in _OTHERS or (there and isinstance(value, str) and value.isalnum())):
            case.path_parameters[name] = own[name]


def test_every_answer_is_in_the_description(outcome: Outcome) -> None:
    assert not outcome.problems, "\n\n".join(f"{name}\n{told}" for name, told in outcome.problems.items())


def test_enough_cases_were_made(outcome: Outcome) -> None:
    assert outcome.cases.total() >= AT_LEAST, outcome.cases
    assert len(outcome.cases) > 30
