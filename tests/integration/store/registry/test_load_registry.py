"""Files into the registry and out of it again, on the real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.world import COMPONENT, NEW, OLD, SETTINGS, TENANT, World, document
from tests.store_contract.entries import BACKUP, DEPLOYMENT, PATH, VERSION
from upgrade_orchestrator.bootstrap import close_ports, ports_for
from upgrade_orchestrator.cli.registry.document import entries_in
from upgrade_orchestrator.cli.registry.marked_yaml import read_yaml
from upgrade_orchestrator.cli.registry.writing import text_of
from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, AlreadyExists, ValidationFailed
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.execution import UpgradeRequest
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion, Deployment, RegistryEntry
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.registry.load import Loaded, load_registry, read_registry
from upgrade_orchestrator.service.upgrade.create import create_upgrade

ODD = "yes: \"no\" # '~'\n- 3.10 \t ü 漢 \x85 {{ var }} | > & * !"
EVERYTHING: list[RegistryEntry] = [
    Component(id="A", name="null", description=ODD),
    Component(id="b", name="3.10", version_scheme=Scheme.DEBIAN),
    ComponentVersion(id="1.0", component_id="A", version="3.10"),
    replace(
        VERSION,
        id="2.0",
        component_id="A",
        version="4",
        dependencies={"zk": ">=3,<4", "java": "17.*", "on": "*"},
        notes=ODD,
    ),
    replace(
        PATH,
        component_id="A",
        from_version_id="1.0",
        to_version_id="2.0",
        pre_upgrade_steps=("- a", ODD),
        upgrade_steps=("",),
        blockers=("g", "g"),
    ),
    replace(DEPLOYMENT, tenant_id="550e8400", component_id="A", current_version_id="1.0", mixed={"4": 1, "3.10": 2}),
    replace(
        BACKUP,
        id="0",
        tenant_id="550e8400",
        component_id="A",
        version_id="1.0",
        location="s3://b/ü",
        created_at=datetime(2026, 1, 31, 12, 0, 0, 250000, UTC),
    ),
]


@pytest.fixture
async def ports(postgres_url: str) -> AsyncIterator[Ports]:
    yield ports_for(postgres_url, SETTINGS)
    await close_ports()


async def load_text(ports: Ports, text: str) -> Loaded:
    return await load_registry(ports, entries_in(read_yaml(text).value))


async def put(ports: Ports, *things: RegistryEntry) -> None:
    async with ports.work() as work:
        for each in things:
            await work.registry.put(each)
        await work.commit()


async def test_exported_registry_loads_back_unchanged(ports: Ports, postgres_url: str) -> None:
    await put(ports, *EVERYTHING)
    text = text_of(await read_registry(ports))
    assert await load_text(ports, text) == Loaded(0, 0, len(EVERYTHING))
    marked = entries_in(read_yaml(text).value)
    assert [each.value for each in marked] == EVERYTHING
    assert text_of(each.value for each in marked) == text


async def test_export_of_an_empty_registry_is_a_file_that_loads(ports: Ports) -> None:
    assert await load_text(ports, text_of(await read_registry(ports))) == Loaded(0, 0, 0)


async def test_file_is_loaded_completely_into_an_empty_registry_and_changes_nothing_the_second_time(
    ports: Ports,
) -> None:
    text = text_of(EVERYTHING)
    assert await load_text(ports, text) == Loaded(len(EVERYTHING), 0, 0)
    assert await read_registry(ports) == EVERYTHING
    assert await load_text(ports, text) == Loaded(0, 0, len(EVERYTHING))


async def test_changed_entries_are_replaced_and_the_others_stay(ports: Ports) -> None:
    await put(ports, *EVERYTHING)
    text = "components: [{id: A, name: new}, {id: c, name: c}]"
    assert await load_text(ports, text) == Loaded(1, 1, 0)
    assert (await read_registry(ports))[:3] == [
        Component(id="A", name="new"),
        EVERYTHING[1],
        Component(id="c", name="c"),
    ]


# fault 45, fault 47
async def test_backup_that_may_not_be_registered_is_refused_and_one_that_is_registered_is_not(ports: Ports) -> None:
    bad = replace(
        BACKUP,
        id="0",
        component_id="A",
        version_id="1.0",
        location="memory://here",
        created_at=datetime(2999, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(ValidationFailed) as refusal:
        await load_text(ports, text_of([*EVERYTHING[:-1], bad]))
    assert refusal.value.detail == "not accepted: backups[0].location, backups[0].createdAt"
    await put(ports, *EVERYTHING[:-1], bad)
    assert await load_text(ports, text_of([bad])) == Loaded(0, 0, 1)


async def test_file_that_is_loaded_after_an_upgrade_leaves_the_deployment_at_its_new_version(ports: Ports) -> None:
    await put(ports, *EVERYTHING)
    (deployment,) = (each for each in EVERYTHING if isinstance(each, Deployment))
    upgraded = replace(deployment, current_version_id="2.0", mixed=None)
    await put(ports, upgraded)
    again = await load_text(ports, text_of([deployment]))
    assert (again.changed, [each.field for each in again.warnings]) == (0, ["deployments[0].currentVersionId"])
    assert upgraded in await read_registry(ports)
    reset = await load_registry(ports, entries_in(read_yaml(text_of([deployment])).value), reset_current=True)
    assert (reset.changed, reset.warnings) == (1, ())
    assert deployment in await read_registry(ports)


async def test_registered_entries_are_not_changed_when_the_load_is_to_keep_them(ports: Ports) -> None:
    await put(ports, *EVERYTHING)
    given: dict[str, Any] = {"components": [{"id": "A", "name": "new"}, {"id": "c", "name": "c"}]}
    assert await load_registry(ports, entries_in(given), keep=True) == Loaded(1, 0, 1)
    assert (await read_registry(ports))[0] == EVERYTHING[0]


async def test_nothing_is_loaded_when_one_entry_is_invalid(ports: Ports) -> None:
    with pytest.raises(ValidationFailed):
        await load_text(ports, "components: [{id: a, name: a}]\nversions: [{id: v, componentId: zzz, version: '1'}]")
    assert await read_registry(ports) == []


async def test_nothing_is_loaded_when_a_write_fails_in_the_middle(ports: Ports) -> None:
    """Two versions that swap their texts: the database refuses the first of the two, and the new component goes too."""
    one = ComponentVersion(id="1", component_id="a", version="1.0")
    await put(ports, Component(id="a", name="a"), one, replace(one, id="2", version="2.0"))
    before = await read_registry(ports)
    swapped = [replace(one, version="2.0"), replace(one, id="2", version="1.0")]
    with pytest.raises(AlreadyExists):
        await load_text(ports, text_of([Component(id="b", name="b"), *swapped]))
    assert await read_registry(ports) == before


async def test_recommended_version_in_a_file_replaces_the_registered_one(ports: Ports) -> None:
    await put(ports, *EVERYTHING)
    text = "versions: [{id: '3.0', componentId: A, version: '5', recommended: true}]"
    assert await load_text(ports, text) == Loaded(1, 1, 0)
    async with ports.work() as work:
        found = await work.registry.versions("A", "", 9)
    assert {each.id: each.recommended for each in found} == {"1.0": False, "2.0": False, "3.0": True}


async def test_concurrent_loads_are_carried_out_one_after_the_other(ports: Ports) -> None:
    text = text_of(EVERYTHING)
    found = await asyncio.gather(load_text(ports, text), load_text(ports, text))
    assert sorted(found, key=lambda each: each.created) == [Loaded(0, 0, 7), Loaded(7, 0, 0)]


async def test_deployment_is_not_changed_under_an_unfinished_upgrade(world: World) -> None:
    request = UpgradeRequest(component_id=COMPONENT, from_version_id=OLD, to_version_id=NEW)
    execution = await create_upgrade(world.ports, TENANT, request, Actor("olga"))
    given = document(world.fleet, world.backup)
    same = await load_registry(world.ports, entries_in({"deployments": given["deployments"]}))
    assert same == Loaded(0, 0, 1)
    moved = {"deployments": [given["deployments"][0] | {"fleet": "another"}], "components": [{"id": "x", "name": "x"}]}
    with pytest.raises(ActiveUpgradeExists, match=execution.id):
        await load_registry(world.ports, entries_in(moved))
    assert world.rows("component") == 1


# fault 54
async def test_deployment_may_give_its_fleet_to_another_within_one_file(world: World) -> None:
    (first,) = document(world.fleet, world.backup)["deployments"]
    moved = {"deployments": [first | {"tenantId": "new"}, first | {"fleet": "another"}]}
    assert await load_registry(world.ports, entries_in(moved)) == Loaded(1, 1, 0)
    async with world.ports.work() as work:
        found = await work.registry.deployment_of_fleet(first["connId"], world.fleet)
    assert found is not None
    assert found.tenant_id == "new"


async def test_deployments_that_would_swap_their_fleets_are_refused_as_a_whole(world: World) -> None:
    (first,) = document(world.fleet, world.backup)["deployments"]
    second = first | {"tenantId": "new", "fleet": "another"}
    await load_registry(world.ports, entries_in({"deployments": [second]}))
    swapped = {"deployments": [first | {"fleet": "another"}, second | {"fleet": world.fleet}]}
    with pytest.raises(AlreadyExists, match="belongs to another deployment"):
        await load_registry(world.ports, entries_in(swapped))
