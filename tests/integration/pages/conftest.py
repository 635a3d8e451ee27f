"""A server and a browser for each module: visits open pages as admin, or as tina, who is limited to acme."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.browsing import Visits, browser, visiting
from tests.integration.pages.registries import FLEETS, registry, upgraded
from tests.integration.pages.served import Served, served
from upgrade_orchestrator.adapters.airflow.auth.permissions import grant_of
from upgrade_orchestrator.domain.operations.permissions import REGISTRY, Permission, of_tenant

__all__ = ["browser"]
ACME = of_tenant("acme")
TINA = {grant_of(Permission.READ, REGISTRY), *(grant_of(each, ACME) for each in (Permission.READ, Permission.OPERATE))}
USERS = {"admin": frozenset(grant_of(each) for each in Permission), "tina": frozenset(TINA)}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(registry(), FLEETS, USERS, upgraded) as running:
        yield running


@pytest.fixture
def visits(server: Served, browser: Browser, tmp_path: Path) -> Iterator[Visits]:
    with visiting(Visits(browser, server.url, lambda name: name)) as opened:
        yield opened
