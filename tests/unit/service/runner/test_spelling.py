"""A fleet that spells versions in its own way, and one that knows no version (specification section 4)."""

from dataclasses import replace

import pytest

from tests.labs.fleet.edited import EditedFleets
from tests.labs.memory.lab import MakeLab
from tests.labs.seed import NEW, NEW_VERSION, OLD_VERSION
from tests.labs.steps.pools import blue_green
from tests.labs.steps.pools import upgrade as upgrade_by_pools
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.runner.spelling import Spelling

S = ExecutionStatus


def spelled(version: str | None, form: str) -> str | None:
    return None if version is None else form.format(version, short=version.removesuffix(".0"))


# fault 8
@pytest.mark.parametrize("form", ["v{0}", "{short}", "{0}+build.5", "v{0} (stable)"])
@pytest.mark.parametrize("strategy", ["rolling", "blue-green"])
async def test_upgrade_completes_when_the_agent_spells_its_versions_otherwise(
    make_lab: MakeLab, form: str, strategy: str
) -> None:
    lab = await make_lab(size=2)
    fleets = EditedFleets(lab.world.ports.fleets)
    fleets.edit = lambda fleet: replace(
        fleet, instances=tuple(replace(each, version=spelled(each.version, form)) for each in fleet.instances)
    )
    fleets.edit_health = lambda _, answer: replace(answer, version=spelled(answer.version, form))
    lab = lab.with_ports(fleets=fleets)
    if strategy == "blue-green":
        execution_id = await lab.admitted(**blue_green())
        execution = await upgrade_by_pools(lab, execution_id)
    else:
        execution_id = await lab.admitted()
        execution = await lab.upgrade(execution_id)
    assert (execution.status, execution.current_failures) == (S.COMPLETED, 0)
    assert await lab.deployment() == (NEW, None)
    rows = (await lab.instances(execution_id)).values()
    assert {row.from_version for row in rows} == {OLD_VERSION}
    if strategy == "rolling":
        assert {row.reported for row in rows} == {spelled(NEW_VERSION, form)}


# fault 8: the negative twin
async def test_instance_at_another_version_is_not_taken_for_upgraded(make_lab: MakeLab) -> None:
    lab = await make_lab(size=1)
    fleets = EditedFleets(lab.world.ports.fleets)
    fleets.edit_health = lambda _, answer: replace(answer, version=f"{answer.version}-rc.1")
    lab = lab.with_ports(fleets=fleets)
    execution = await lab.upgrade(await lab.admitted(health_check_timeout_seconds=2))
    assert (execution.status, execution.current_failures) == (S.FAILED, 1)


def test_text_that_could_mean_both_versions_is_the_old_one() -> None:
    spelling = Spelling(Scheme.SEMVER, "3.7.0", "3.7.0+b5")
    assert [spelling.of(each) for each in ("3.7.0", "3.7.0+b5", "v3.7.0")] == ["3.7.0", "3.7.0+b5", "3.7.0"]


def test_spelling_keeps_what_was_reported_and_unknown_versions() -> None:
    spelling = Spelling(Scheme.SEMVER, "3.6.0", "3.7.0")
    shown = (FleetInstance("i", "v3.7.0", "RUNNING", True), FleetInstance("j", None, "STOPPED", False))
    fleet = spelling.fleet(Fleet("f", shown, 0, "blue"))
    assert [(each.version, each.reported) for each in fleet.instances] == [("3.7.0", "v3.7.0"), (None, None)]
    assert spelling.health(Health(True, "v3.7.0")).version == "3.7.0"
    assert spelling.health(Health(True, None)).version is None


def test_spelling_knows_the_further_versions_once_each() -> None:
    spelling = Spelling(Scheme.SEMVER, "3.7.0", "3.6.0").with_further(["3.5.0", "v3.5.0", "v3.6.0", "odd"])
    assert spelling.further == ("3.5.0", "odd")
    assert [spelling.of(each) for each in ("v3.5.0", "v3.6.0", "3.4.0")] == ["3.5.0", "3.6.0", "3.4.0"]
