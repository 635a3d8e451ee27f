"""The rules for a version, each with its negative twin (specification section 1)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RiskLevel, VersionStatus
from upgrade_orchestrator.domain.registry.rules import life_problems, risk_of, version_problems
from upgrade_orchestrator.domain.registry.schemes import Scheme

VERSION = ComponentVersion(id="v", component_id="c", version="3.6.0")
TODAY = date(2031, 5, 17)
YESTERDAY, TOMORROW = date(2031, 5, 16), date(2031, 5, 18)


def version(**fields: Any) -> ComponentVersion:
    return replace(VERSION, **fields)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, []),
        ({"version": "newest"}, []),
        ({"version": " 3.6.0"}, ["version"]),
        ({"min_platform_version": "x", "max_platform_version": "y"}, ["minPlatformVersion", "maxPlatformVersion"]),
        ({"min_platform_version": "3.10", "max_platform_version": "3.9"}, ["maxPlatformVersion"]),
        ({"min_platform_version": "3.9", "max_platform_version": "3.10"}, []),
        ({"min_platform_version": "3.9", "max_platform_version": "3.9.0"}, []),
        ({"dependencies": {"zk": ">=3,<", "java": "17.*"}}, ["dependencies.zk"]),
        ({"release_date": TOMORROW, "end_of_life_date": TODAY}, ["endOfLifeDate"]),
        ({"release_date": TODAY, "end_of_life_date": TODAY}, []),
        ({"version": "new\nest", "dependencies": {"zk": "?"}}, ["version", "dependencies.zk"]),
    ],
)
def test_version_problems_name_every_field(fields: dict[str, Any], wrong: list[str]) -> None:
    assert [each.field for each in version_problems(version(**fields))] == wrong


@pytest.mark.parametrize("status", VersionStatus)
@pytest.mark.parametrize(("ends", "past"), [(YESTERDAY, True), (TODAY, True), (TOMORROW, False), (None, False)])
def test_version_past_its_end_of_life_counts_as_eol(status: VersionStatus, ends: date | None, past: bool) -> None:
    found = version(status=status, end_of_life_date=ends)
    assert found.effective_status(TODAY) is (VersionStatus.EOL if past else status)
    assert bool(life_problems(found, TODAY)) is (past and status is not VersionStatus.EOL)


@pytest.mark.parametrize(
    ("old", "new", "risk"),
    [
        ("3.6.0", "3.6.1", RiskLevel.LOW),
        ("3.6.0", "3.7.0", RiskLevel.MEDIUM),
        ("3.6.0", "4.0.0", RiskLevel.HIGH),
        ("4.0.0", "3.6.0", RiskLevel.HIGH),
        ("jammy", "noble", RiskLevel.HIGH),
    ],
)
def test_risk_follows_from_the_upgrades_type(old: str, new: str, risk: RiskLevel) -> None:
    assert risk_of(Scheme.AUTO, version(version=old), version(version=new)) is risk
