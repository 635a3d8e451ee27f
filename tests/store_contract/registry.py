"""The component registry: everything comes back as it was put, and what must be unique is."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from tests.store_contract.entries import BACKUP, DEPLOYMENT, PATH, VERSION
from tests.store_contract.stores import Added, Store
from tests.store_contract.waiting import waits
from tests.unit.domain.builders import after
from upgrade_orchestrator.domain.errors import AlreadyExists
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion, RegistryEntry, UpgradePath
from upgrade_orchestrator.domain.registry.schemes import Scheme


class RegistryContract:
    async def test_registry_entries_are_read_back_as_they_were_put(self, store: Store) -> None:
        component = Component(id="c-1", name="n", description="d", version_scheme=Scheme.RPM)
        async with store() as work:
            for each in (component, VERSION, PATH, DEPLOYMENT, BACKUP):
                await work.registry.put(each)
            await work.commit()
        async with store() as work:
            registry = work.registry
            assert await registry.component("c-1") == component
            assert await registry.version("v-1") == VERSION
            assert await registry.path("bbb-222", "ccc-333") == PATH
            assert await registry.deployment("t", "aaa-111") == DEPLOYMENT
            assert await registry.backups("t", "aaa-111") == [BACKUP]

    async def test_put_replaces_the_stored_entry(self, store: Store) -> None:
        bare = UpgradePath(id="p-1", component_id="aaa-111", from_version_id="bbb-222", to_version_id="ccc-333")
        async with store() as work:
            await work.registry.put(PATH)
            await work.registry.put(bare)
            await work.registry.put(DEPLOYMENT)
            await work.registry.put(replace(DEPLOYMENT, mixed=None))
            assert await work.registry.path("bbb-222", "ccc-333") == bare
            assert await work.registry.deployment("t", "aaa-111") == replace(DEPLOYMENT, mixed=None)

    async def test_missing_entries_are_read_as_none_or_empty(self, store: Store) -> None:
        async with store() as work:
            registry = work.registry
            assert await registry.component("x") is None
            assert await registry.version("x") is None
            assert await registry.path("ccc-333", "bbb-222") is None
            assert await registry.deployment("t", "x") is None
            assert await registry.backups("t", "x") == []

    async def test_add_refuses_an_existing_id_version_or_upgrade_path(self, store: Store) -> None:
        async def add(thing: Component | ComponentVersion | UpgradePath) -> None:
            async with store() as work:
                await work.registry.add(thing)
                await work.commit()

        await add(PATH)
        with pytest.raises(AlreadyExists, match="the id aaa-111 is taken"):
            await add(Component(id="aaa-111", name="again"))
        with pytest.raises(AlreadyExists, match="the component has this version already"):
            await add(ComponentVersion(id="v-2", component_id="aaa-111", version="3.6.0"))
        with pytest.raises(AlreadyExists, match="a path between these two versions"):
            await add(replace(PATH, id="p-2"))

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            (Component(id="c-2", name="n"), Component(id="c-2", name="n")),
            (VERSION, replace(VERSION, id="v-2")),
            (PATH, replace(PATH, id="p-2")),
        ],
        ids=["id", "version", "way"],
    )
    async def test_second_of_two_concurrent_additions_is_refused(
        self, store: Store, one: RegistryEntry, two: RegistryEntry
    ) -> None:
        async def add(thing: RegistryEntry) -> None:
            async with store() as work:
                await work.registry.add(thing)  # type: ignore[arg-type]  # no deployment is among them
                await work.commit()

        found = await asyncio.gather(add(one), add(two), return_exceptions=True)
        assert [type(each) for each in found if each is not None] == [AlreadyExists]

    async def test_backups_are_listed_newest_first(self, store: Store) -> None:
        async with store() as work:
            for number, seconds in enumerate((5, 9, 1)):
                await work.registry.put(replace(BACKUP, id=f"b-{number}", created_at=after(seconds)))
            assert [each.id for each in await work.registry.backups("t", "aaa-111")] == ["b-1", "b-0", "b-2"]

    async def test_all_entries_are_read_parents_first_and_each_kind_by_its_key(self, store: Store) -> None:
        component = Component(id="zzz", name="n")
        other = replace(DEPLOYMENT, tenant_id="s", fleet="g")
        async with store() as work:
            for each in (component, VERSION, PATH, DEPLOYMENT, other, BACKUP):
                await work.registry.put(each)
            found = await work.registry.everything()
        assert [type(each).__name__ for each in found[:2]] == ["Component", "Component"]
        assert (found[1], found[4]) == (component, VERSION)
        assert found[5:] == [PATH, other, DEPLOYMENT, BACKUP]

    async def test_versions_by_id_omit_unknown_ids(self, store: Store) -> None:
        async with store() as work:
            found = await work.registry.versions_by_id(["bbb-222", "zzz", "bbb-222"])
            assert {name: each.version for name, each in found.items()} == {"bbb-222": "3.6.0"}
            assert await work.registry.versions_by_id([]) == {}

    async def test_schemes_are_declared_or_found_out_by_the_versions_of_the_component(self, store: Store) -> None:
        async with store() as work:
            await work.registry.put(Component(id="declared", name="n", version_scheme=Scheme.DEBIAN))
            await work.registry.put(Component(id="empty", name="n"))
            for number, text in enumerate(("1.1.1", "1.1.1a")):
                await work.registry.put(ComponentVersion(id=f"v-{number}", component_id="declared", version=text))
            found = await work.registry.schemes(["declared", "empty", "aaa-111", "zzz"])
            assert found == {"declared": Scheme.DEBIAN, "empty": Scheme.TEXT, "aaa-111": Scheme.SEMVER}
            await work.registry.put(ComponentVersion(id="v-9", component_id="aaa-111", version="3.6.0a"))
            assert await work.registry.schemes(["aaa-111"]) == {"aaa-111": Scheme.OPENSSL}
            assert await work.registry.schemes([]) == {}

    async def test_version_may_have_128_characters(self, store: Store) -> None:
        long = replace(VERSION, version="9" * 128, min_platform_version="1" * 128, max_platform_version="2" * 128)
        async with store() as work:
            await work.registry.put(long)
            await work.commit()
        async with store() as work:
            assert await work.registry.version("v-1") == long

    async def test_recommendation_is_removed_from_other_versions_of_the_component_only(self, store: Store) -> None:
        elsewhere = ComponentVersion(id="v-9", component_id="other", version="1.0", recommended=True)
        async with store() as work:
            await work.registry.put(Component(id="other", name="n"))
            for each in (elsewhere, replace(VERSION, id="v-2", version="5.0"), VERSION):
                await work.registry.put(each)
            await work.registry.recommend_only(VERSION)
            found = await work.registry.versions_by_id(["v-1", "v-2", "v-9"])
        assert {name: each.recommended for name, each in found.items()} == {"v-1": True, "v-2": False, "v-9": True}

    async def test_put_refuses_a_unique_value_of_another_entry(self, store: Store) -> None:
        async with store() as work:
            with pytest.raises(AlreadyExists, match="the component has this version already"):
                await work.registry.put(replace(VERSION, version="3.6.0"))

    async def test_fleet_belongs_to_one_deployment(self, store: Store) -> None:
        async with store() as work:
            await work.registry.put(DEPLOYMENT)
            await work.registry.put(replace(DEPLOYMENT, tenant_id="s", conn_id="another"))
            await work.registry.put(DEPLOYMENT)  # its own fleet
            await work.commit()
        async with store() as work:
            assert await work.registry.deployment_of_fleet("c", "f") == DEPLOYMENT
            assert await work.registry.deployment_of_fleet("c", "another") is None
            with pytest.raises(AlreadyExists, match="the fleet belongs to another deployment already"):
                await work.registry.put(replace(DEPLOYMENT, tenant_id="s"))

    async def test_fleet_that_was_left_can_be_taken_at_once(self, store: Store) -> None:
        async with store() as work:
            await work.registry.put(DEPLOYMENT)
            await work.registry.put(replace(DEPLOYMENT, fleet="g"))
            await work.registry.put(replace(DEPLOYMENT, tenant_id="s"))
            await work.commit()

    async def test_of_two_concurrent_deployments_of_one_fleet_one_is_refused(self, store: Store) -> None:
        async def put(tenant_id: str) -> None:
            async with store() as work:
                await work.registry.put(replace(DEPLOYMENT, tenant_id=tenant_id))
                await work.commit()

        found = await asyncio.gather(put("s"), put("t"), return_exceptions=True)
        assert [type(each) for each in found if each is not None] == [AlreadyExists]

    async def test_registry_lock_blocks_additions_but_not_reads(self, store: Store) -> None:
        async def add() -> None:
            async with store() as work:
                await work.registry.add(ComponentVersion(id="v-3", component_id="aaa-111", version="9.9"))
                await work.commit()

        async with store() as work, store() as reader:
            await work.registry.lock()
            adding = asyncio.create_task(add())
            assert await reader.registry.component("aaa-111") is not None
            assert await waits(adding)
            await work.commit()
            await asyncio.wait_for(adding, 10)

    async def test_lists_continue_after_an_id(self, store: Store) -> None:
        async with store() as work:
            for each in ("c-1", "c-2", "c-3"):
                await work.registry.put(Component(id=each, name=each))
            assert [each.id for each in await work.registry.components("c-1", 1)] == ["c-2"]
            assert [each.id for each in await work.registry.versions("aaa-111", "bbb-222", 5)] == ["ccc-333"]
            assert await work.registry.versions("c-1", "", 5) == []
            assert await work.registry.paths(None, "", 5) == []

    async def test_connections_are_listed_once_each_with_those_in_use_first(self, store: Store, added: Added) -> None:
        await added(tenant_id="busy")
        await added(tenant_id="done", settled_at=after(0))
        conn_of = {"a": ("one", "f2"), "b": ("one", "f1"), "done": ("two", "f1"), "busy": ("two", "f9")}
        async with store() as work:
            for tenant, (conn_id, fleet) in conn_of.items():
                await work.registry.put(replace(DEPLOYMENT, tenant_id=tenant, conn_id=conn_id, fleet=fleet))
            found = await work.registry.connections(5)
            assert [(each.tenant_id, each.conn_id) for each in found] == [("busy", "two"), ("b", "one")]
            assert await work.registry.connections(1) == found[:1]

    async def test_version_text_that_was_freed_can_be_used_at_once(self, store: Store) -> None:
        async with store() as work:
            await work.registry.put(replace(VERSION, id="bbb-222"))
            await work.registry.add(ComponentVersion(id="v-2", component_id="aaa-111", version="3.6.0"))
            assert await work.registry.version("bbb-222") == replace(VERSION, id="bbb-222")

    async def test_time_of_a_backup_is_read_back_in_utc(self, store: Store) -> None:
        elsewhere = replace(BACKUP, created_at=after(0).astimezone(timezone(timedelta(hours=2))))
        async with store() as work:
            await work.registry.put(elsewhere)
            (found,) = await work.registry.backups("t", "aaa-111")
        assert (found, found.created_at.utcoffset()) == (BACKUP, timedelta())

    async def test_mapping_changed_after_the_put_does_not_change_the_stored_entry(self, store: Store) -> None:
        dependencies = {"postgresql": ">=15"}
        async with store() as work:
            await work.registry.put(replace(VERSION, dependencies=dependencies))
            await work.commit()
            dependencies["postgresql"] = ">=99"
            for _ in range(2):
                found = await work.registry.version("v-1")
                assert found is not None
                assert found.dependencies == {"postgresql": ">=15"}
                dict.clear(found.dependencies)  # type: ignore[arg-type]
