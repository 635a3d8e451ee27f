"""Catalogues that people have go into the database through the registry's loader, and routes are calculated there."""

from collections.abc import AsyncIterator

import pytest

from tests.catalogues import CATALOGUES, Catalogue
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.cli.registry.marked_yaml import read_yaml
from upgrade_orchestrator.cli.registry.writing import text_of
from upgrade_orchestrator.domain.registry.entries import Component
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import load_registry, read_registry
from upgrade_orchestrator.service.registry.upgrade_paths import calculate_route
from upgrade_orchestrator.settings import Settings


@pytest.fixture
async def ports(postgres_url: str) -> AsyncIterator[Ports]:
    yield ports_for(postgres_url, Settings())
    await close_ports()


# fault 40
@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.file)
async def test_catalogue_is_loaded_and_its_best_route_calculated(ports: Ports, catalogue: Catalogue) -> None:
    entries = entries_in(read_yaml(catalogue.text).value)
    loaded = await load_registry(ports, entries)
    assert (loaded.created, loaded.changed, loaded.warnings) == (len(entries), 0, ())
    (component,) = [each.value for each in entries if isinstance(each.value, Component)]
    found = await calculate_route(ports, component.id, catalogue.route[0], catalogue.route[-1])
    assert found.search.scheme is catalogue.scheme
    best = found.result.routes[0].paths
    assert (best[0].from_version_id, *(each.to_version_id for each in best)) == catalogue.route
    again = await load_registry(ports, entries_in(read_yaml(text_of(await read_registry(ports))).value))
    assert (again.created, again.changed) == (0, 0)
