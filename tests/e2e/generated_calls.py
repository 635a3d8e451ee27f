"""Generated calls over the whole OpenAPI description, and what was wrong with their answers.

Every check of schemathesis is on. The cases are moved to a tenant and a component of their own, and many to an
execution that is there, so that they reach what an unknown id would keep them from and spoil nothing for others.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import schemathesis
from pydantic import ValidationError
from schemathesis import engine
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.config._checks import NegativeDataRejectionConfig
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData

from tests.e2e.steps import Json, Tenant
from upgrade_orchestrator.schemas.base import ID_PATTERN
from upgrade_orchestrator.schemas.registry import DeploymentBody

_PUT_DEPLOYMENT = "PUT /tenants/{tenantId}/components/{componentId}/deployment"
_OTHERS = {"550e8400", "aaa-111", "bbb-222", "ccc-333"}
_TOGETHER = {
    "cursor",
    "fromVersionId",
    "toVersionId",
    "stagePercentages",
    "version",
    "minPlatformVersion",
    "maxPlatformVersion",
} | {*("dependencies", "releaseDate", "endOfLifeDate", "platformVersion", "blockers")}
_TOGETHER |= {"location", "createdAt", "sizeBytes"}
"""Fields that may be refused although they fit the schema: opaque, ordered or unequal ones, versions and their ranges;
of a backup those that a setting, the clock or a time limit decides.
"""


@dataclass
class Outcome:
    """The results of the cases: how many by call, and what was wrong with which."""

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
                text = answer.content.decode(errors="replace") if answer and answer.content else ""
                if not (isinstance(info.failure, RejectedPositiveData) and is_no_matter_of_schema(text)):
                    where = f"{recorder.label} {info.failure.title}"
                    self.problems.setdefault(where, f"{info.failure.message}\n{info.code_sample[:1000]}\n{text[:1000]}")

    def check_answers(self, at_least: int) -> None:
        """No 5xx, every answer is one that the description has, and there were enough cases."""
        assert not self.problems, "\n\n".join(f"{name}\n{problem}" for name, problem in self.problems.items())
        assert len(self.cases) > 30
        assert self.cases.total() >= at_least, self.cases


def is_no_matter_of_schema(answer: str) -> bool:
    """Whether a value that fits the schema was refused for a rule that no schema expresses, of values that depend on
    others.
    """
    body: Json = json.loads(answer)
    if body["status"] != 422 or body["code"] in ("VERSION_MISMATCH", "UPGRADE_BLOCKED"):
        return bool(body["status"] == 422)
    return all(each["field"].split(".")[0] in _TOGETHER for each in body["errors"])


@dataclass(frozen=True)
class Home:
    """The cases' own tenant, component and versions, and an execution of theirs."""

    tenant: Tenant
    execution: str = ""

    @property
    def component(self) -> str:
        return f"generated-{self.tenant.id}"

    @property
    def fleet(self) -> str:
        return f"{self.tenant.fleet}-generated"

    @property
    def old(self) -> str:
        return f"{self.component}-1"

    @property
    def new(self) -> str:
        return f"{self.component}-2"

    @property
    def path(self) -> dict[str, str]:
        """Register the path from the old version to the new one."""
        return {"componentId": self.component, "fromVersionId": self.old, "toVersionId": self.new}

    @property
    def deployment(self) -> dict[str, str]:
        """Register the deployment of the component at the old version, on a fleet of its own that answers."""
        return {
            "driver": "agent",
            "connId": "demo_fleet",
            "fleet": self.fleet,
            "currentVersionId": self.old,
        }

    def mover(self) -> Callable[[Any, Any, Any], None]:
        """Moves a case here: two times of three to ids that exist, and always away from what other tests use.

        A deployment is moved to this fleet, always: at one that is not there the next upgrade is answered with
        503, and rightly. What would be refused is never moved. A line feed in a path becomes a carriage return:
        Airflow, not the app, would answer it.
        """
        own = {"tenantId": self.tenant.id, "componentId": self.component, "versionId": self.new}
        own |= {"executionId": self.execution}
        turn = itertools.count()

        def move(context: Any, case: Any, kwargs: Any) -> None:
            there = next(turn) % 3
            for name, value in (case.path_parameters or {}).items():
                if name in own and (value in _OTHERS or (there and _is_id(value))):
                    case.path_parameters[name] = own[name]
                elif isinstance(value, str):
                    case.path_parameters[name] = value.replace("%0A", "%0D")
            if case.operation.label == _PUT_DEPLOYMENT and _is_deployment(case.body):
                case.body = case.body | {name: self.deployment[name] for name in ("connId", "fleet")}

        return move


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(ID_PATTERN, value) is not None


def _is_deployment(body: object) -> bool:
    with suppress(ValidationError):
        DeploymentBody.model_validate(body)
        return True
    return False


@contextmanager
def _furnished(tenant: Tenant) -> Iterator[Home]:
    home = Home(tenant)
    tenant.agent.create(home.fleet, tenant.size, "3.6.0")
    for path, body in _furniture(home):
        answer = tenant.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
    where = f"/tenants/{tenant.id}/components/{home.component}/deployment"
    assert tenant.api.put(where, json=home.deployment).is_success
    created = tenant.api.post(f"/tenants/{tenant.id}/upgrades", json=home.path)
    assert created.status_code == 201, created.text
    yield Home(tenant, created.json()["id"])
    tenant.api.post(f"/upgrades/{created.json()['id']}/cancel")


def _furniture(home: Home) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "/components", {"id": home.component, "name": home.component}
    for identifier, version in ((home.old, "3.6.0"), (home.new, "3.7.0")):
        yield f"/components/{home.component}/versions", {"id": identifier, "version": version}
    yield "/upgrade-paths", {"id": f"{home.component}-path", **home.path, "tested": True}


def call_everything(tenant: Tenant, cases_a_call: int, seed: int | None = None, *, boundaries: bool = False) -> Outcome:
    """All cases, generated and sent: those of the seed, or without one always the same.

    `boundaries` adds some 1,600 that never change: each value at its limits, missing, doubled, of a wrong type.
    """
    document = tenant.api.get("/openapi.json").raise_for_status().json()
    generation = GenerationConfig(
        max_examples=cases_a_call, deterministic=seed is None, no_shrink=True, database="none"
    )
    project = _project(tenant.api, generation, PhasesConfig(coverage=CoveragePhaseConfig(enabled=boundaries)))
    config = SchemathesisConfig(projects=ProjectsConfig(default=project), seed=seed)
    schema = schemathesis.openapi.from_dict(document, config=config)
    found = Outcome()
    with _furnished(tenant) as home:
        schemathesis.hook("before_call")(home.mover())
        try:
            for event in engine.from_schema(schema).execute():
                found.add(event)
        finally:
            schemathesis.hooks.unregister_all()
    return found


def _project(api: httpx.Client, generation: GenerationConfig, phases: PhasesConfig) -> ProjectConfig:
    return ProjectConfig(
        base_url=str(api.base_url).rstrip("/"),
        headers={"Authorization": api.headers["Authorization"]},
        generation=generation,
        phases=phases,
        # its own list, and a body that is too large
        checks=ChecksConfig(negative_data_rejection=NegativeDataRejectionConfig(expected_statuses=["4xx"])),
        request_timeout=60,
        continue_on_failure=True,
    )
