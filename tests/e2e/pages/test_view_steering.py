"""Commands in the browser: what the questions say, and the effect of the replies."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import Visits
from tests.e2e.conftest import NewTenant
from tests.e2e.pages.user_actions import VIEW, Mouse, expect_status, give, open_upgrade
from tests.e2e.steps import DEADLINE_SECONDS

ONE_BY_ONE: dict[str, Any] = {"batchSize": 1, "maxUnavailablePercentage": 25}
HOSTILE = '<img src=x onerror="alert(1)"></textarea><script>alert(2)</script>'


def test_stage_is_approved_on_the_page_by_a_second_user(visits: Visits, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    execution_id = tenant.start(strategy="STAGED", stagePercentages=[50, 100], maxUnavailablePercentage=50)
    creator, approver = visits.of("admin"), visits.of("anna")
    open_upgrade(creator, execution_id)
    open_upgrade(approver, execution_id)
    expect(creator.locator("#status-line")).to_contain_text("Stage 2 awaits approval", timeout=DEADLINE_SECONDS * 1000)
    expect(creator.locator("#button-approve")).to_be_disabled()
    expect(creator.locator("#barred-approve")).to_contain_text("You created this execution")
    expect(approver.locator("#button-approve")).to_be_enabled()
    expect(approver.locator("#button-pause")).to_have_count(0)
    approver.locator("#button-approve").click()
    expect(approver.locator("dialog[open]")).to_contain_text("2 instances")
    approver.locator("dialog[open] [data-confirm]").click()
    expect(approver.locator("dialog[open]")).to_be_visible()  # it asks for a reason
    approver.locator("dialog[open] textarea").fill("looks well")
    approver.locator("dialog[open] [data-confirm]").click()
    expect_status(approver, "COMPLETED")
    expect_status(creator, "COMPLETED")
    expect(creator.locator("#timeline")).to_contain_text("looks well")
    assert tenant.versions() == {"3.7.0": 4}


def test_failed_instance_and_its_rollback_are_shown_on_the_page(visits: Visits, new_tenant: NewTenant) -> None:
    tenant = new_tenant(upgrade_seconds=2.0)  # the rollback follows at once, and a page may lag behind it for this long
    first, ill = f"{tenant.fleet}-02", f"{tenant.fleet}-03"
    tenant.agent.fault(tenant.fleet, "upgrade-fails", ill, times=1)
    execution_id = tenant.create(**ONE_BY_ONE, autoRollbackEnabled=True, failureThreshold=1)
    page = visits.of("otto")
    open_upgrade(page, execution_id)
    give(Mouse(page), "start")
    expect(page.locator("#wrong")).to_contain_text(ill, timeout=DEADLINE_SECONDS * 1000)
    expect_status(page, "ROLLED_BACK")
    reason = tenant.execution(execution_id)["rollbackInfo"]["rollbackReason"]
    expect(page.locator("#rollback")).to_contain_text(reason)
    for each in (first, ill):
        expect(page.locator(f"[id='tile-{each}'] .at")).to_have_text("Rolled back")
    expect(page.locator("#buttons")).to_have_count(0)
    assert tenant.versions() == {"3.6.0": 4}


def test_hostile_names_and_reasons_are_not_executed(visits: Visits, new_tenant: NewTenant) -> None:
    tenant = new_tenant()
    execution_id = tenant.create(initiatedBy=HOSTILE)
    page = visits.of("otto")
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    open_upgrade(page, execution_id)
    give(Mouse(page), "cancel", HOSTILE)
    expect_status(page, "CANCELLED")
    expect(page.locator("#timeline")).to_contain_text(HOSTILE)
    expect(page.locator("#request")).to_contain_text(HOSTILE)
    page.goto(f"{VIEW}/upgrades?tenant={tenant.id}")
    expect(page.locator("#rows")).to_contain_text(HOSTILE)
    page.goto(f"{VIEW}/upgrades?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.locator("#rows")).to_contain_text("No upgrade matches")
    assert page.locator("main script, main img[src=x]").count() == 0
    assert not [each for each in visits.console if "Content Security Policy" in each]
