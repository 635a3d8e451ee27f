"""Blockers and warnings of specification section 7, each with its negative twin."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.unit.domain.builders import NOW, make_request
from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.checks.compatibility import Compatibility, compatibility, dependencies
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.registry.entries import (
    ComponentVersion,
    Deployment,
    RiskLevel,
    UpgradePath,
    VersionStatus,
)
from upgrade_orchestrator.domain.registry.schemes import Scheme

NOTHING = Findings()
REGISTER_OR_GO_ROUND = "register one with POST /upgrade-paths, or go in several upgrades (GET /upgrade-paths/calculate)"


def version(version_id: str, text: str, **fields: Any) -> ComponentVersion:
    return replace(ComponentVersion(id=version_id, component_id="aaa-111", version=text), **fields)


SOURCE, TARGET = version("bbb-222", "3.6.0"), version("ccc-333", "3.7.0")
PATH = UpgradePath(id="p-1", component_id="aaa-111", from_version_id="bbb-222", to_version_id="ccc-333", tested=True)
DEPLOYMENT = Deployment(
    tenant_id="550e8400",
    component_id="aaa-111",
    driver="agent",
    conn_id="fleet",
    fleet="kafka-demo",
    current_version_id="bbb-222",
)
CLEAN = Compatibility(make_request(), SOURCE, TARGET, PATH, DEPLOYMENT, "3.3.2")


def found(**changes: Any) -> Findings:
    return compatibility(replace(CLEAN, **changes), NOW)


def test_compatibility_has_no_findings_when_all_conditions_hold() -> None:
    assert found() == NOTHING


# -- under way ------------------------------------------------------------------------------------------------------


# fault 48
@pytest.mark.parametrize(
    "changes",
    [
        {"target": replace(TARGET, status=VersionStatus.DEPRECATED)},
        {"target": replace(TARGET, end_of_life_date=date(2020, 1, 1))},
        {"target": replace(TARGET, min_platform_version="99")},
    ],
    ids=["deprecated", "end of life", "platform"],
)
def test_upgrade_under_way_is_warned_of_what_would_block_a_new_one(changes: dict[str, Any]) -> None:
    case = replace(CLEAN, **changes)
    begun = compatibility(case, NOW)
    assert len(begun.blockers) == 1
    assert compatibility(case, NOW, finishing=True) == Findings((), begun.blockers)


def test_upgrade_under_way_is_blocked_by_a_closed_path() -> None:
    case = replace(CLEAN, path=replace(PATH, blockers=("loses data",)))
    assert compatibility(case, NOW, finishing=True) == compatibility(case, NOW)


@pytest.mark.parametrize(("scheme", "kind"), [(Scheme.SEMVER, "downgrade"), (Scheme.TEXT, "upgrade")])
def test_missing_path_is_called_a_downgrade_when_the_order_of_the_scheme_says_so(scheme: Scheme, kind: str) -> None:
    (text,) = found(path=None, target=version("ccc-333", "3.5.9"), scheme=scheme).blockers
    assert text.startswith(f"no {kind} path from 3.6.0 to 3.5.9")


# -- path ------------------------------------------------------------------------------------------------------------


def test_missing_path_blocks() -> None:
    expected = f"no upgrade path from 3.6.0 to 3.7.0 is registered: {REGISTER_OR_GO_ROUND}"
    assert found(path=None) == Findings((expected,))


def test_downgrade_without_a_path_blocks_and_is_named_a_downgrade() -> None:
    expected = f"no downgrade path from 3.6.0 to 3.5.9 is registered: {REGISTER_OR_GO_ROUND}"
    assert found(path=None, target=version("ccc-333", "3.5.9")) == Findings((expected,))


def test_downgrade_with_a_registered_path_is_accepted() -> None:
    assert found(target=version("ccc-333", "3.5.9")) == NOTHING


def test_missing_path_between_versions_without_order_blocks_with_an_explanation() -> None:
    (text,) = found(path=None, target=version("ccc-333", "jammy")).blockers
    assert text.startswith("no upgrade path from 3.6.0 to jammy is registered")


def test_closed_path_blocks_with_every_reason() -> None:
    findings = found(path=replace(PATH, blockers=("loses data", "needs a licence")))
    assert findings.blockers == (
        "the path 3.6.0 to 3.7.0 is closed: loses data",
        "the path 3.6.0 to 3.7.0 is closed: needs a licence",
    )


def test_untested_path_warns() -> None:
    assert found(path=replace(PATH, tested=False)) == Findings((), ("the path 3.6.0 to 3.7.0 is not marked as tested",))


@pytest.mark.parametrize(("risk", "warns"), [("LOW", False), ("MEDIUM", False), ("HIGH", True)])
def test_path_of_high_risk_warns(risk: str, warns: bool) -> None:
    findings = found(path=replace(PATH, risk_level=RiskLevel(risk)))
    assert findings == Findings((), ("the path 3.6.0 to 3.7.0 has HIGH risk",) if warns else ())


@pytest.mark.parametrize("strategy", [strategy for strategy in Strategy if strategy is not Strategy.RECREATE])
def test_path_with_downtime_warns_when_the_strategy_does_not_provide_for_it(strategy: Strategy) -> None:
    findings = found(path=replace(PATH, requires_downtime=True), request=make_request(strategy=strategy))
    text = f"the path 3.6.0 to 3.7.0 requires downtime, which strategy {strategy} does not provide for"
    assert findings == Findings((), (text,))


def test_path_with_downtime_does_not_warn_when_recreating() -> None:
    recreate = make_request(strategy=Strategy.RECREATE)
    assert found(path=replace(PATH, requires_downtime=True), request=recreate) == NOTHING


# -- target ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [status for status in VersionStatus if status is not VersionStatus.STABLE])
def test_target_version_that_is_not_stable_blocks(status: VersionStatus) -> None:
    expected = f"version 3.7.0 is {status}, only STABLE versions are upgraded to: choose another one, or make it STABLE"
    expected += " (PUT /versions/ccc-333/status)"
    assert found(target=replace(TARGET, status=status)) == Findings((expected,))


@pytest.mark.parametrize("status", VersionStatus)
def test_source_version_may_have_any_status(status: VersionStatus) -> None:
    assert found(source=replace(SOURCE, status=status)) == NOTHING


def test_target_version_past_its_end_of_life_blocks() -> None:
    expected = "version 3.7.0 is past its end of life (2031-05-16): choose another one,"
    expected += " or give it a later endOfLifeDate (PUT /versions/ccc-333/status)"
    assert found(target=replace(TARGET, end_of_life_date=date(2031, 5, 16))) == Findings((expected,))


def test_target_version_before_its_end_of_life_is_accepted() -> None:
    assert found(target=replace(TARGET, end_of_life_date=date(2031, 5, 18))) == NOTHING


# -- current version -------------------------------------------------------------------------------------------------


def test_deployment_at_another_version_than_the_source_blocks() -> None:
    findings = found(deployment=replace(DEPLOYMENT, current_version_id="zzz-999"))
    found_what = "the deployment runs version zzz-999, fromVersionId says bbb-222"
    assert findings == Findings((f"{found_what}: start from zzz-999, or correct the deployment (PUT .../deployment)",))


@pytest.mark.parametrize("current", ["zzz-999", "bbb-222"])
def test_mixed_deployment_may_be_upgraded_from_either_version(current: str) -> None:
    mixed = replace(DEPLOYMENT, current_version_id=current, mixed={"3.6.0": 4, "3.7.0": 6})
    assert found(deployment=mixed) == NOTHING


def test_mixed_deployment_blocks_a_source_version_that_no_instance_runs() -> None:
    mixed = replace(DEPLOYMENT, current_version_id="zzz-999", mixed={"3.5.0": 4, "3.7.0": 6})
    assert found(deployment=mixed).blockers


# -- platform --------------------------------------------------------------------------------------------------------


def platform(low: str | None, high: str | None, runs: str | None) -> Findings:
    return found(target=replace(TARGET, min_platform_version=low, max_platform_version=high), platform_version=runs)


@pytest.mark.parametrize(
    ("low", "high", "runs", "words"),
    [
        ("3.4", None, "3.3.2", "3.4 to any, the platform is 3.3.2"),
        (None, "3.2", "3.3.2", "any to 3.2, the platform is 3.3.2"),
        ("3.10", "3.12", "3.9.9", "3.10 to 3.12, the platform is 3.9.9"),
        ("3.0", None, None, "3.0 to any, the platform's version is not known; set upgrades_platform_version"),
        ("3.0", None, "edge", "3.0 to any, the platform edge cannot be compared: 'edge' has no order: write a version"),
    ],
)
def test_platform_outside_the_range_or_unknown_blocks(
    low: str | None, high: str | None, runs: str | None, words: str
) -> None:
    (text,) = platform(low, high, runs).blockers
    assert text.startswith(f"version 3.7.0 requires platform {words}")


@pytest.mark.parametrize(
    ("low", "high", "runs"),
    [("3.3.2", "3.3.2", "3.3.2"), (None, None, None), (None, None, "edge"), ("3.3", "3.10", "3.9"), (None, "4", "3.3")],
)
def test_platform_inside_the_range_or_without_a_range_is_accepted(
    low: str | None, high: str | None, runs: str | None
) -> None:
    assert platform(low, high, runs) == NOTHING


def test_compatibility_reports_all_findings_at_once() -> None:
    findings = found(
        path=None,
        target=replace(TARGET, status=VersionStatus.DRAFT, min_platform_version="9"),
        deployment=replace(DEPLOYMENT, current_version_id="zzz-999"),
    )
    assert len(findings.blockers) == 4


# -- dependencies ----------------------------------------------------------------------------------------------------

NEEDY = replace(TARGET, dependencies={"postgresql": ">=15,<18", "java": "17.*"})


def test_dependency_check_finds_nothing_when_all_are_in_range() -> None:
    assert dependencies(NEEDY, {"postgresql": "16.1", "java": "17.0.9", "unrelated": "x"}) == NOTHING


@pytest.mark.parametrize("installed", [{}, None])
def test_dependency_check_blocks_for_each_missing_component(installed: dict[str, str] | None) -> None:
    todo = "install it, or name the version that is installed"
    assert dependencies(NEEDY, installed).blockers == (
        f"java 17.* is needed and not in installedComponents: {todo}",
        f"postgresql >=15,<18 is needed and not in installedComponents: {todo}",
    )


def test_dependency_check_blocks_a_version_out_of_range_and_names_only_it() -> None:
    findings = dependencies(NEEDY, {"postgresql": "18.0", "java": "17.0.9"})
    found = "postgresql >=15,<18 is needed, 18.0 is installed"
    assert findings == Findings((f"{found}: install one in this range before the upgrade",))


def test_dependency_check_blocks_an_invalid_installed_version_with_an_explanation() -> None:
    (text,) = dependencies(NEEDY, {"postgresql": "latest", "java": "17.0.9"}).blockers
    assert text.startswith(
        "postgresql >=15,<18 is needed, 'latest' in installedComponents cannot be compared with it: 'latest' has no"
    )


# fault 42
@pytest.mark.parametrize(
    ("wanted", "installed"),
    [(">=1.25", "v1.29.4-eks-036c24b"), (">=15,<18", "16.4 (Debian 16.4-1.pgdg120+1)"), ("[1.1,)", "1.1.1w")],
)
def test_dependency_check_accepts_an_installed_version_with_a_vendors_suffix(wanted: str, installed: str) -> None:
    assert dependencies(replace(TARGET, dependencies={"it": wanted}), {"it": installed}) == NOTHING


def test_dependency_check_names_installed_and_wanted_version_that_cannot_be_compared() -> None:
    (text,) = dependencies(replace(TARGET, dependencies={"it": ">=1.25"}), {"it": "edge\n" * 99}).blockers
    assert text.startswith("it >=1.25 is needed, 'edge\\nedge")
    assert "(495 characters) in installedComponents cannot be compared with it" in text
    assert text.endswith("write a version that begins with a number, such as 3.6.0")


def test_dependency_check_blocks_an_invalid_range_with_an_explanation() -> None:
    (text,) = dependencies(replace(TARGET, dependencies={"java": "newer than 16"}), {"java": "17"}).blockers
    assert "cannot be compared" in text


def test_dependency_check_finds_nothing_when_the_target_has_no_dependencies() -> None:
    assert dependencies(TARGET, None) == NOTHING
