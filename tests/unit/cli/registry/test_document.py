"""The schema of a registry file: the rules of the REST bodies, with the path of every mistake."""

from typing import Any

import pytest

from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.domain.errors import ValidationFailed
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion, RiskLevel, UpgradePath

VERSION = {"id": "v1", "componentId": "kafka", "version": "3.6.0"}
PATH = {"id": "p1", "componentId": "kafka", "fromVersionId": "v1", "toVersionId": "v2"}
DEPLOYMENT = {
    "tenantId": "t",
    "componentId": "kafka",
    "driver": "agent",
    "connId": "c",
    "fleet": "f",
    "currentVersionId": "v1",
}
BACKUP = {
    "id": "b",
    "tenantId": "t",
    "componentId": "kafka",
    "versionId": "v1",
    "location": "s3://b",
    "sizeBytes": "5",
    "sha256": "0" * 64,
    "createdAt": "2026-01-31T12:00:00Z",
}


def refused(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refusal:
        entries_in(document)
    errors: Any = refusal.value.extra["errors"]
    return [(each["field"], each["message"]) for each in errors]


def test_entries_come_parents_first_with_their_paths() -> None:
    found = entries_in({"versions": [VERSION], "components": [{"id": "kafka", "name": "Kafka"}], "backups": None})
    assert [each.path for each in found] == ["components[0]", "versions[0]"]
    assert found[0].value == Component(id="kafka", name="Kafka")


def test_text_value_is_read_as_the_type_of_its_field() -> None:
    given = VERSION | {"recommended": "true", "lts": "no", "releaseDate": "2026-01-31", "dependencies": {"zk": "3"}}
    version = entries_in({"versions": [given]})[0].value
    assert isinstance(version, ComponentVersion)
    assert (version.recommended, version.lts, str(version.release_date)) == (True, False, "2026-01-31")


@pytest.mark.parametrize("risk", [None, "LOW"])
def test_omitted_risk_is_distinguished_from_a_given_one(risk: str | None) -> None:
    entry = entries_in({"upgradePaths": [PATH | ({"riskLevel": risk} if risk else {})]})[0]
    assert entry.without_risk is (risk is None)
    assert isinstance(entry.value, UpgradePath)
    assert risk is None or entry.value.risk_level is RiskLevel.LOW


@pytest.mark.parametrize(
    ("document", "place", "message"),
    [
        ([], "", "must have some of the sections components, versions"),
        ({"component": []}, "component", "unknown section; the sections are components"),
        ({"components": {}}, "components", "must be a list"),
        ({"components": ["kafka"]}, "components[0]", "must have fields"),
        ({"components": [{"id": "kafka"}]}, "components[0].name", "is required"),
        ({"components": [{"name": "x"}]}, "components[0].id", "is required"),
        ({"components": [{"id": "a b", "name": "x"}]}, "components[0].id", "should match pattern"),
        ({"components": [{"id": "a", "name": "x", "nmae": "y"}]}, "components[0].nmae", "unknown field"),
        ({"components": [{"id": "a", "name": None}]}, "components[0].name", "should be a valid string"),
        ({"versions": [VERSION | {"status": "stable"}]}, "versions[0].status", "should be 'DRAFT', 'STABLE'"),
        ({"versions": [VERSION | {"lts": "perhaps"}]}, "versions[0].lts", "should be a valid boolean"),
        ({"versions": [VERSION | {"releaseDate": "2026-02-31"}]}, "versions[0].releaseDate", "should be a date"),
        ({"versions": [VERSION | {"dependencies": {"zk": ""}}]}, "versions[0].dependencies.zk", "at least 1"),
        ({"versions": [VERSION | {"dependencies": ["zk"]}]}, "versions[0].dependencies", "valid dictionary"),
        ({"upgradePaths": [PATH | {"toVersionId": "v1"}]}, "upgradePaths[0].toVersionId", "must differ"),
        ({"upgradePaths": [PATH | {"upgradeSteps": "one"}]}, "upgradePaths[0].upgradeSteps", "valid list"),
        ({"upgradePaths": [PATH | {"upgradeSteps": ["a", None]}]}, "upgradePaths[0].upgradeSteps[1]", "valid string"),
        (
            {"upgradePaths": [PATH | {"estimatedDurationMinutes": "0"}]},
            "upgradePaths[0].estimatedDurationMinutes",
            "greater",
        ),
        ({"deployments": [DEPLOYMENT | {"driver": "ssh"}]}, "deployments[0].driver", "should be one of: agent"),
        ({"deployments": [DEPLOYMENT | {"connId": "http://x"}]}, "deployments[0].connId", "should match"),
        ({"deployments": [DEPLOYMENT | {"mixed": {"3.6.0": "-1"}}]}, "deployments[0].mixed.3.6.0", "greater"),
        ({"backups": [BACKUP | {"sizeBytes": "five"}]}, "backups[0].sizeBytes", "should be a valid integer"),
        ({"backups": [BACKUP | {"createdAt": "yesterday"}]}, "backups[0].createdAt", "should be a time"),
        ({"backups": [BACKUP | {"sha256": "abc"}]}, "backups[0].sha256", "should match"),
        ({"backups": [BACKUP | {"location": "/tmp/x"}]}, "backups[0].location", "should match"),
    ],
)
def test_invalid_document_is_refused_with_the_path_and_the_accepted_values(
    document: Any, place: str, message: str
) -> None:
    ((found, said),) = refused(document)
    assert (found, message in said) == (place, True), said


def test_all_problems_of_a_document_are_reported_at_once() -> None:
    wrong = {"versions": [VERSION | {"x": "1"}, {"id": "v2"}], "components": 5, "more": []}
    assert [place for place, _ in refused(wrong)] == [
        "more",
        "components",
        "versions[0].x",
        "versions[1].version",
        "versions[1].componentId",
    ]
