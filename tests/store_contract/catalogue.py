"""The registry as its pages list it: of the tenants that are asked for only, in pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store_contract.entries import BACKUP, DEPLOYMENT, VERSION
from tests.store_contract.stores import Added, Store
from tests.unit.domain.builders import NOW, after, make_request
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.registry.entries import Component

S = ExecutionStatus
KAFKA = "aaa-111"
ONE = frozenset({"one"})
NOBODY: frozenset[str] = frozenset()


class CatalogueContract:
    @pytest.fixture
    async def three(self, store: Store, added: Added) -> None:
        """Of kafka: deployments of one, two and three, and backups of one and two; another component without any."""
        async with store() as work:
            await work.registry.put(Component(id="c-2", name="Airbyte 100%"))
            await work.registry.put(Component(id="c-1", name="kafka"))
            await work.registry.put(VERSION)
            for tenant, version in (("one", "bbb-222"), ("two", "ccc-333"), ("three", "bbb-222")):
                at = replace(DEPLOYMENT, tenant_id=tenant, fleet=tenant, current_version_id=version)
                await work.registry.put(at)
            for number, tenant in enumerate(("one", "two", "one")):
                made = replace(BACKUP, id=f"b-{number}", tenant_id=tenant, created_at=after(number))
                await work.registry.put(made)
            await work.commit()
        old, late = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
        await added(id="e-1", tenant_id="one", status=S.COMPLETED, created_at=old, settled_at=NOW)
        await added(id="e-2", tenant_id="one", status=S.IN_PROGRESS, created_at=late)
        await added(id="e-3", tenant_id="two", status=S.FAILED, created_at=old, settled_at=NOW)
        await added(id="e-4", tenant_id="gone", status=S.FAILED, created_at=old, settled_at=NOW)

    @pytest.mark.usefixtures("three")
    async def test_components_are_listed_by_name_with_their_counts(self, store: Store) -> None:
        async with store() as work:
            found = await work.catalogue.components(None, None, "", 9)
            of_two = await work.catalogue.components(frozenset({"two"}), None, "", 9)
        counts = [(each.component.id, each.versions, each.recommended, each.deployments, each.active) for each in found]
        assert counts == [("c-2", 0, None, 0, 0), (KAFKA, 3, "4.0.0", 3, 1), ("c-1", 0, None, 0, 0)]
        assert [(each.versions, each.deployments, each.active) for each in of_two] == [(0, 0, 0), (3, 1, 0), (0, 0, 0)]

    @pytest.mark.usefixtures("three")
    @pytest.mark.parametrize(
        ("text", "after_id", "limit", "wanted"),
        [
            (None, "", 2, ["c-2", KAFKA]),
            (None, "c-2", 1, [KAFKA]),
            (None, KAFKA, 9, ["c-1"]),
            (None, "c-1", 9, []),
            ("KAF", "", 9, [KAFKA, "c-1"]),
            ("a-11", "", 9, [KAFKA]),
            ("0%", "", 9, ["c-2"]),
            ("_", "", 9, []),
        ],
    )
    async def test_components_are_paged_and_searched(
        self, store: Store, text: str | None, after_id: str, limit: int, wanted: list[str]
    ) -> None:
        async with store() as work:
            found = await work.catalogue.components(NOBODY, text, after_id, limit)
        assert [each.component.id for each in found] == wanted

    @pytest.mark.usefixtures("three")
    async def test_deployments_are_those_of_the_tenants_only(self, store: Store) -> None:
        async with store() as work:
            lists = work.catalogue
            assert [each.tenant_id for each in await lists.deployments(KAFKA, None, "", 2)] == ["one", "three"]
            assert [each.tenant_id for each in await lists.deployments(KAFKA, None, "three", 9)] == ["two"]
            assert [each.tenant_id for each in await lists.deployments(KAFKA, ONE, "", 9)] == ["one"]
            assert await lists.deployments(KAFKA, NOBODY, "", 9) == []
            assert await lists.deployments("c-2", None, "", 9) == []

    @pytest.mark.usefixtures("three")
    async def test_running_versions_are_counted(self, store: Store) -> None:
        async with store() as work:
            assert dict(await work.catalogue.running(KAFKA, None)) == {"bbb-222": 2, "ccc-333": 1}
            assert dict(await work.catalogue.running(KAFKA, ONE)) == {"bbb-222": 1}
            assert dict(await work.catalogue.running(KAFKA, NOBODY)) == {}

    @pytest.mark.usefixtures("three")
    async def test_newest_execution_of_each_tenant_is_found(self, store: Store, added: Added) -> None:
        await added(id="e-5", tenant_id="three", request=make_request(component_id="c-2"), settled_at=NOW)
        async with store() as work:
            found = await work.catalogue.newest(KAFKA, ["one", "two", "three", "gone"])
            assert [(each.tenant_id, each.execution_id, each.status) for each in found] == [
                ("one", "e-2", S.IN_PROGRESS),
                ("two", "e-3", S.FAILED),
            ]
            assert (found[0].from_version, found[0].to_version) == ("3.6.0", "3.7.0")
            assert await work.catalogue.newest(KAFKA, []) == []

    @pytest.mark.usefixtures("three")
    async def test_backups_are_newest_first_and_of_the_tenants_only(self, store: Store) -> None:
        async with store() as work:
            lists = work.catalogue
            assert [each.id for each in await lists.backups(KAFKA, None, None, 2)] == ["b-2", "b-1"]
            assert [each.id for each in await lists.backups(KAFKA, None, (after(1), "b-1"), 9)] == ["b-0"]
            assert [each.id for each in await lists.backups(KAFKA, ONE, None, 9)] == ["b-2", "b-0"]
            assert await lists.backups(KAFKA, NOBODY, None, 9) == []
