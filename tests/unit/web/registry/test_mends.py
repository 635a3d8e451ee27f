"""Every blocker of an upgrade, as the rules write it, is mended somewhere; other texts are left alone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.store_contract.entries import BACKUP, DEPLOYMENT, PATH
from tests.unit.domain.builders import NOW, fleet_of, make_request
from upgrade_orchestrator.domain.checks import backups, checks
from upgrade_orchestrator.domain.checks.checks import Findings
from upgrade_orchestrator.domain.checks.compatibility import Compatibility, compatibility, dependencies
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.instance.fleet import Fleet
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, VersionStatus
from upgrade_orchestrator.web.view.registry.mends import mend_of

OLD = ComponentVersion(id="bbb-222", component_id="aaa-111", version="3.6.0")
NEW = ComponentVersion(id="ccc-333", component_id="aaa-111", version="3.7.0")
CASE = Compatibility(make_request(), OLD, NEW, replace(PATH, blockers=()), DEPLOYMENT, "3.3.2")
FOUR, NONE = (Fleet("demo", tuple(fleet_of(size)), 0, "blue") for size in (4, 0))
DAY = timedelta(days=1)


def of_case(**changed: object) -> Findings:
    return compatibility(replace(CASE, **changed), NOW)  # type: ignore[arg-type]


BLOCKERS = {
    "no path": (of_case(path=None), "Upgrade paths"),
    "no way down": (of_case(path=None, source=NEW, target=OLD), "Upgrade paths"),
    "closed path": (of_case(path=PATH), "Upgrade paths"),
    "draft": (of_case(target=replace(NEW, status=VersionStatus.DRAFT)), "Versions"),
    "end of life": (of_case(target=replace(NEW, end_of_life_date=date(2020, 1, 1))), "Versions"),
    "platform": (of_case(target=replace(NEW, min_platform_version="9.0")), "Versions"),
    "no platform": (of_case(target=replace(NEW, min_platform_version="9.0"), platform_version=None), "Versions"),
    "other version": (of_case(deployment=replace(DEPLOYMENT, current_version_id="x", mixed=None)), "Deployments"),
    "no backup": (backups.none_usable([], "bbb-222", NOW, DAY), "Backups"),
    "old backup": (backups.none_usable([BACKUP], "bbb-222", NOW + 9 * DAY, DAY), "Backups"),
    "lost backup": (backups.not_there(BACKUP, "no such file"), "Backups"),
    "forbidden backup": (backups.not_allowed(BACKUP, "must begin"), "Backups"),
    "slow backup": (backups.not_in_time(BACKUP, 9), "Backups"),
    "altered backup": (backups.content(BACKUP, checks.StoredObject(1, None)), "Backups"),
    "not installed": (dependencies(replace(NEW, dependencies={"pg": ">=15"}), None), "Installed components"),
    "out of range": (dependencies(replace(NEW, dependencies={"pg": ">=15"}), {"pg": "9"}), "Installed components"),
    "not comparable": (dependencies(replace(NEW, dependencies={"pg": ">=15"}), {"pg": "x"}), "Installed components"),
    "too many": (checks.size(make_request(total_instances=9), FOUR), "Total instances"),
    "no instances": (checks.size(make_request(), NONE), "Deployments"),
    "no room": (checks.capacity(make_request(strategy=Strategy.BLUE_GREEN), 400, FOUR), "Strategy"),
    "missing instances": (checks.capacity(make_request(), 9, FOUR), "Deployments"),
    "silent instances": (checks.health({"a": "503"}, 4), "Deployments"),
    "active": (Findings((ActiveUpgradeExists("e-1").detail,)), "The active upgrade"),
    "no deployment": (Findings(("tenant t has no deployment of component c",)), "Deployments"),
    "fleet away": (Findings(("fleet demo cannot be used: no answer",)), "Deployments"),
}


@pytest.mark.parametrize("name", BLOCKERS)
def test_blocker_leads_to_where_it_is_mended(name: str) -> None:
    findings, place = BLOCKERS[name]
    assert findings.blockers
    for each in findings.blockers:
        found = mend_of(each)
        assert found is not None, each
        assert found.words == place, each


@pytest.mark.parametrize("text", ["", "something else", "the upgrade paths are many", "my backup is fine"])
def test_other_text_has_no_link(text: str) -> None:
    assert mend_of(text) is None
