"""The changes that a file makes in the registry, and its refusals (specification section 1)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.domain.builders import NOW
from upgrade_orchestrator.domain.registry.entries import (
    Backup,
    Component,
    ComponentVersion,
    Deployment,
    RegistryEntry,
    RiskLevel,
    UpgradePath,
)
from upgrade_orchestrator.domain.registry.merge import Entry, kept_versions, merge, not_registered, problems_of

KAFKA, OTHER = Component(id="kafka", name="Kafka"), Component(id="other", name="Other")
OLD = ComponentVersion(id="old", component_id="kafka", version="3.6.0")
NEW = ComponentVersion(id="new", component_id="kafka", version="3.7.0", recommended=True)
FOREIGN = ComponentVersion(id="foreign", component_id="other", version="1.0")
PATH = UpgradePath(
    id="p", component_id="kafka", from_version_id="old", to_version_id="new", risk_level=RiskLevel.MEDIUM
)
DEPLOYMENT = Deployment(
    tenant_id="t", component_id="kafka", driver="agent", conn_id="c", fleet="f", current_version_id="old"
)
BACKUP = Backup(
    id="b",
    tenant_id="t",
    component_id="kafka",
    version_id="old",
    location="s3://b",
    size_bytes=1,
    sha256="0" * 64,
    created_at=NOW,
)
ALL: tuple[RegistryEntry, ...] = (KAFKA, OTHER, OLD, NEW, FOREIGN, PATH, DEPLOYMENT, BACKUP)


def entries(*things: RegistryEntry, without_risk: bool = False) -> list[Entry]:
    return [Entry(f"things[{index}]", each, without_risk) for index, each in enumerate(things)]


def changes(
    registered: tuple[RegistryEntry, ...], *things: RegistryEntry, without_risk: bool = False
) -> tuple[list[RegistryEntry], list[RegistryEntry], int]:
    found = merge(registered, entries(*things, without_risk=without_risk))
    return [*found.created], [*found.changed], found.unchanged


def wrong(registered: tuple[RegistryEntry, ...], *things: RegistryEntry) -> list[str]:
    return [each.field for each in problems_of(registered, entries(*things))]


def changed(value: Any, **fields: Any) -> Any:
    return replace(value, **fields)


# -- merge -----------------------------------------------------------------------------------------------------------


def test_every_entry_is_created_in_an_empty_registry_in_the_order_of_the_file() -> None:
    assert problems_of((), entries(*ALL)) == []
    assert changes((), *ALL) == ([*ALL], [], 0)


def test_unchanged_file_changes_nothing() -> None:
    assert problems_of(ALL, entries(*ALL)) == []
    assert changes(ALL, *ALL) == ([], [], len(ALL))


def test_only_changed_entries_are_written_and_the_rest_stays() -> None:
    with_notes = changed(NEW, notes="n")
    assert changes(ALL, OLD, with_notes) == ([], [with_notes], 1)


def test_entries_that_the_file_does_not_name_are_not_counted() -> None:
    assert changes(ALL, KAFKA) == ([], [], 1)


def test_keys_of_different_kinds_are_independent() -> None:
    same_id = ComponentVersion(id="kafka", component_id="kafka", version="9.9")
    assert changes((KAFKA,), same_id) == ([same_id], [], 0)


def test_path_without_a_risk_gets_it_from_its_versions_in_file_or_registry() -> None:
    left_out = changed(PATH, risk_level=RiskLevel.HIGH)
    assert changes((KAFKA, OLD), NEW, left_out, without_risk=True)[0] == [NEW, PATH]
    assert changes((KAFKA, OLD), NEW, left_out)[0] == [NEW, left_out]


def test_deployment_keeps_what_it_runs_whatever_the_file_says() -> None:
    upgraded = changed(DEPLOYMENT, current_version_id="new", mixed={"3.6.0": 1})
    registered = (KAFKA, OLD, NEW, upgraded)
    assert changes(registered, DEPLOYMENT) == ([], [], 1)
    assert changes(registered, changed(upgraded, mixed={"3.6.0": 2})) == ([], [], 1)
    assert changes(registered, changed(DEPLOYMENT, fleet="g")) == ([], [changed(upgraded, fleet="g")], 0)


def test_deployment_runs_what_the_file_says_when_that_is_asked_for() -> None:
    upgraded = changed(DEPLOYMENT, current_version_id="new", mixed={"3.6.0": 1})
    found = merge((KAFKA, OLD, NEW, upgraded), entries(DEPLOYMENT), reset_current=True)
    assert found.changed == (DEPLOYMENT,)
    assert merge(ALL, entries(*ALL), reset_current=True).changed == ()


def test_deployment_that_stays_at_another_version_is_named() -> None:
    upgraded = changed(DEPLOYMENT, current_version_id="new")
    (kept,) = kept_versions((KAFKA, OLD, NEW, upgraded), entries(KAFKA, DEPLOYMENT))
    assert kept.field == "things[1].currentVersionId"
    assert "stays at new" in kept.message
    assert kept_versions(ALL, entries(*ALL)) == []


def test_recommended_version_replaces_the_registered_recommended_one() -> None:
    now = changed(OLD, recommended=True)
    assert changes(ALL, now) == ([], [now, changed(NEW, recommended=False)], 0)


def test_recommended_version_does_not_change_another_component() -> None:
    assert changes(ALL, changed(FOREIGN, recommended=True))[1] == [changed(FOREIGN, recommended=True)]


def test_entries_with_a_new_key_count_as_not_registered() -> None:
    found = not_registered((KAFKA, OLD), entries(changed(OLD, notes="n"), NEW))
    assert [each.value for each in found] == [NEW]


# -- problems --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (OLD, ["componentId"]),
        (PATH, ["componentId", "fromVersionId", "toVersionId"]),
        (DEPLOYMENT, ["componentId", "currentVersionId"]),
        (BACKUP, ["componentId", "versionId"]),
    ],
)
def test_reference_to_a_missing_entry_is_refused(value: RegistryEntry, fields: list[str]) -> None:
    assert wrong((), value) == [f"things[0].{each}" for each in fields]


@pytest.mark.parametrize("value", [OLD, PATH, DEPLOYMENT, BACKUP])
def test_reference_may_be_to_a_registered_entry_or_to_a_later_one_in_the_file(value: RegistryEntry) -> None:
    assert wrong((KAFKA, OLD, NEW), value) == []
    assert wrong((), value, KAFKA, *(each for each in (OLD, NEW) if each is not value)) == []


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (changed(PATH, to_version_id="foreign"), "toVersionId"),
        (changed(PATH, from_version_id="foreign"), "fromVersionId"),
        (changed(DEPLOYMENT, current_version_id="foreign"), "currentVersionId"),
        (changed(BACKUP, version_id="foreign"), "versionId"),
    ],
)
def test_version_of_another_component_is_refused(value: RegistryEntry, field: str) -> None:
    (problem,) = problems_of((KAFKA, OTHER, OLD, NEW, FOREIGN), entries(value))
    assert (problem.field, problem.message) == (f"things[0].{field}", "version foreign is one of component other")


@pytest.mark.parametrize(
    ("one", "again", "field"),
    [
        (KAFKA, changed(KAFKA, name="again"), "id"),
        (OLD, changed(OLD, version="9.9"), "id"),
        (OLD, changed(OLD, id="x"), "version"),
        (NEW, changed(NEW, id="x", version="9.9"), "recommended"),
        (PATH, changed(PATH, id="x"), "toVersionId"),
        (DEPLOYMENT, changed(DEPLOYMENT, fleet="x"), "tenantId"),
        (DEPLOYMENT, changed(DEPLOYMENT, tenant_id="u"), "fleet"),
        (BACKUP, changed(BACKUP, size_bytes=2), "id"),
    ],
)
def test_duplicate_entry_is_refused_naming_the_path_of_the_first(
    one: RegistryEntry, again: RegistryEntry, field: str
) -> None:
    problems = problems_of((KAFKA, OLD, NEW), entries(one, again))
    assert [each.field for each in problems] == [f"things[1].{field}"]
    assert problems[0].message.endswith("at things[0]")


def test_version_and_path_that_are_registered_with_another_id_are_refused() -> None:
    assert wrong(ALL, changed(OLD, id="x"), changed(PATH, id="y")) == ["things[0].version", "things[1].toVersionId"]
    (first, _) = problems_of(ALL, entries(changed(OLD, id="x"), changed(PATH, id="y")))
    assert first.message == "the component has this version already at the registered old"


# fault 54
def test_fleet_of_a_registered_deployment_is_refused_unless_the_file_moves_it_away() -> None:
    second = changed(DEPLOYMENT, tenant_id="u")
    (problem,) = problems_of((*ALL, DEPLOYMENT), entries(second))
    assert (problem.field, problem.message) == (
        "things[0].fleet",
        "the fleet belongs to a deployment already, at the registered t/kafka",
    )
    assert wrong((*ALL, DEPLOYMENT), second, changed(DEPLOYMENT, fleet="x")) == []
    assert wrong((*ALL, DEPLOYMENT), changed(second, conn_id="another")) == []


def test_registered_deployments_that_share_a_fleet_do_not_prevent_a_load() -> None:
    assert wrong((*ALL, DEPLOYMENT, changed(DEPLOYMENT, tenant_id="u")), changed(KAFKA, name="x")) == []


def test_versions_may_swap_their_texts() -> None:
    assert wrong(ALL, changed(OLD, version="3.7.0"), changed(NEW, version="3.6.0")) == []


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (changed(OLD, component_id="other"), "componentId"),
        (changed(BACKUP, tenant_id="u"), "tenantId"),
    ],
)
def test_id_cannot_move_to_another_component_or_tenant(value: RegistryEntry, field: str) -> None:
    assert wrong((KAFKA, OTHER, OLD, BACKUP), value) == [f"things[0].{field}"]


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    bad = changed(OLD, version="new\nest", dependencies={"zk": "?"})
    assert wrong((), bad, BACKUP) == [
        "things[0].componentId",
        "things[0].version",
        "things[0].dependencies.zk",
        "things[1].componentId",
    ]
