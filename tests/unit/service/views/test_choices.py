"""What the form offers: the versions that a deployment runs, and those to which a path leads from them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment, UpgradePath, VersionStatus
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.choices import Choices, form_choices

LATE: dict[str, dict[str, Any]] = {
    "3.5.0": {},
    "3.8.0": {"recommended": True},
    "3.9.0": {"status": VersionStatus.DRAFT},
}


async def with_more(ports: Ports, mixed: dict[str, int] | None = None, **closed: Any) -> None:
    """An older, a recommended and a draft version, and paths to them from 3.6.0; and one that no path leads to."""
    async with ports.work() as work:
        for text, more in {**LATE, "5.0.0": {}}.items():
            version = ComponentVersion(id=f"v-{text}", component_id=COMPONENT, version=text)
            await work.registry.put(replace(version, **more))
        for text in LATE:
            path = UpgradePath(
                id=f"p-{text}", component_id=COMPONENT, from_version_id=OLD, to_version_id=f"v-{text}", **closed
            )
            await work.registry.put(path)
        deployment = await work.registry.deployment(TENANT, COMPONENT)
        assert isinstance(deployment, Deployment)
        await work.registry.put(replace(deployment, mixed=mixed))
        await work.commit()


def targets(choices: Choices) -> list[tuple[str, bool, tuple[str, ...]]]:
    return [(each.version.version, each.downgrade, each.reasons) for each in choices.targets]


async def test_targets_are_those_with_a_path_recommended_first_and_barred_ones_last(make_lab: MakeLab) -> None:
    ports = (await make_lab()).world.ports
    await with_more(ports)
    found = await form_choices(ports, TENANT, COMPONENT, None)
    assert [each.id for each in found.sources] == [OLD]
    assert found.source == found.sources[0]
    assert targets(found) == [
        ("3.8.0", False, ()),
        ("3.7.0", False, ()),
        ("3.5.0", True, ()),
        ("3.9.0", False, ("is DRAFT, only STABLE versions are upgraded to",)),
    ]
    assert found.without_path == 1


async def test_closed_path_bars_its_target_with_the_reason(make_lab: MakeLab) -> None:
    ports = (await make_lab()).world.ports
    await with_more(ports, blockers=("rebuild first",))
    found = await form_choices(ports, TENANT, COMPONENT, None)
    assert targets(found)[0] == ("3.7.0", False, ())
    assert {each.version.version: each.path_reasons for each in found.targets}["3.8.0"] == ("rebuild first",)


async def test_end_of_life_bars_a_target(make_lab: MakeLab) -> None:
    ports = (await make_lab()).world.ports
    async with ports.work() as work:
        (version,) = (await work.registry.versions_by_id([NEW])).values()
        await work.registry.put(replace(version, end_of_life_date=date(2020, 1, 1)))
        await work.commit()
    found = await form_choices(ports, TENANT, COMPONENT, None)
    assert targets(found) == [("3.7.0", False, ("is past its end of life (2020-01-01)",))]


async def test_versions_that_some_instances_run_can_be_started_from_too(make_lab: MakeLab) -> None:
    ports = (await make_lab()).world.ports
    await with_more(ports, mixed={"3.6.0": 3, "3.5.0": 1, "unknown": 2})
    found = await form_choices(ports, TENANT, COMPONENT, "v-3.5.0")
    assert [each.version for each in found.sources] == ["3.6.0", "3.5.0"]
    assert (found.source, targets(found)) == (found.sources[1], [])
    other = await form_choices(ports, TENANT, COMPONENT, "v-3.8.0")
    assert other.source == other.sources[0]


@pytest.mark.parametrize(
    ("tenant", "component"), [(None, None), (TENANT, None), (None, COMPONENT), ("x", COMPONENT), (TENANT, "x")]
)
async def test_without_a_deployment_only_components_are_offered(
    make_lab: MakeLab, tenant: str | None, component: str | None
) -> None:
    found = await form_choices((await make_lab()).world.ports, tenant, component, OLD)
    assert (found.deployment, found.sources, found.targets) == (None, (), ())
    assert [(each.component.id, each.deployments) for each in found.components] == [(COMPONENT, int(tenant == TENANT))]
