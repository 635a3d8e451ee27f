"""Catalogues that people have: read without a problem, ordered rightly, and with the right best route."""

from itertools import pairwise

import pytest

from tests.catalogues import CATALOGUES, FOLDER, Catalogue
from tests.unit.domain.builders import NOW
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.cli.registry.marked_yaml import read_yaml
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, RegistryEntry, UpgradePath
from upgrade_orchestrator.domain.registry.merge import merge, problems_of, warnings_of
from upgrade_orchestrator.domain.registry.schemes import Scheme, compare, scheme_of
from upgrade_orchestrator.domain.routes.search import Search, find_routes

each_catalogue = pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.file)


def entries_of(catalogue: Catalogue) -> tuple[RegistryEntry, ...]:
    entries = entries_in(read_yaml(catalogue.text).value)
    assert (problems_of([], entries), warnings_of(entries)) == ([], [])
    return merge([], entries).created


def versions_of(catalogue: Catalogue) -> list[ComponentVersion]:
    return [each for each in entries_of(catalogue) if isinstance(each, ComponentVersion)]


def test_all_catalogues_of_the_folder_are_tested() -> None:
    assert {each.name for each in FOLDER.glob("*.yaml")} == {each.file for each in CATALOGUES}


# fault 40
@each_catalogue
def test_versions_of_a_catalogue_are_ordered_as_listed(catalogue: Catalogue) -> None:
    texts = [each.version for each in versions_of(catalogue)]
    scheme = scheme_of(Scheme.AUTO, texts)
    assert scheme is catalogue.scheme
    assert [(low, high) for low, high in pairwise(texts) if compare(scheme, low, high) != -1] == []


# fault 44
@each_catalogue
def test_best_route_of_a_catalogue_is_the_one_that_its_users_take(catalogue: Catalogue) -> None:
    versions = {each.id: each for each in versions_of(catalogue)}
    paths = [each for each in entries_of(catalogue) if isinstance(each, UpgradePath)]
    source, target = versions[catalogue.route[0]], versions[catalogue.route[-1]]
    best = find_routes(Search(versions, paths, source, target, "0.40.0", NOW, catalogue.scheme)).routes[0]
    assert (source.id, *(each.to_version_id for each in best.paths)) == catalogue.route
