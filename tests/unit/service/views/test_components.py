"""What the registry's pages read: the order of versions, and the look at a fleet, which has an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.labs.memory.lab import MakeLab
from tests.labs.seed import COMPONENT, NEW, OLD, TENANT
from upgrade_orchestrator.domain.errors import NotFound
from upgrade_orchestrator.domain.registry.entries import ComponentVersion, Deployment
from upgrade_orchestrator.domain.registry.schemes import Scheme
from upgrade_orchestrator.service.ports.fleet import FleetDriver, RefusedToken
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.components import Part, load_component, newest_first
from upgrade_orchestrator.service.views.fleet_look import LOOK_SECONDS, FleetLook, look_at_fleet


class _Fleets:
    """Port ``Fleets``: every look fails, or has no end."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    @asynccontextmanager
    async def of(self, deployment: Deployment) -> AsyncIterator[FleetDriver]:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        raise AssertionError("it has no end")
        yield  # makes it a generator


def with_fleets(ports: Ports, error: Exception | None) -> Ports:
    return replace(ports, fleets=_Fleets(error))


def of_versions(*texts: str) -> list[ComponentVersion]:
    return [ComponentVersion(id=f"v-{n}", component_id="c", version=each) for n, each in enumerate(texts)]


@pytest.mark.parametrize(
    ("scheme", "given", "wanted"),
    [
        (Scheme.SEMVER, ["3.9.0", "3.10.0", "3.10.0-rc.1"], ["3.10.0", "3.10.0-rc.1", "3.9.0"]),
        (Scheme.SEMVER, ["main", "1.0", "edge", "2.0"], ["2.0", "1.0", "edge", "main"]),
        (Scheme.TEXT, ["b", "a"], ["a", "b"]),
        (Scheme.SEMVER, [], []),
    ],
)
def test_versions_are_newest_first_and_those_without_an_order_come_last(
    scheme: Scheme, given: list[str], wanted: list[str]
) -> None:
    assert [each.version for each in newest_first(of_versions(*given), scheme)] == wanted


async def test_component_is_read_with_its_versions_paths_deployments_and_backups(make_lab: MakeLab) -> None:
    ports = (await make_lab()).world.ports
    found = await load_component(ports, COMPONENT, Part())
    assert [each.id for each in found.versions] == [NEW, OLD]
    assert [each.id for each in found.paths] == ["path-1"]
    assert [each.tenant_id for each in found.deployments] == [TENANT]
    assert (dict(found.running), found.last) == ({OLD: 1}, {})
    assert [each.id for each in found.backups] == ["backup-1"]
    hidden = await load_component(ports, COMPONENT, Part(tenants=frozenset({"another"})))
    assert (hidden.deployments, dict(hidden.running), hidden.backups) == ([], {}, [])
    assert hidden.versions == found.versions


async def test_unknown_component_is_not_found(make_lab: MakeLab) -> None:
    with pytest.raises(NotFound, match="there is no component zzz"):
        await load_component((await make_lab()).world.ports, "zzz", Part())


async def test_look_counts_the_serving_instances_by_version(make_lab: MakeLab) -> None:
    look = await look_at_fleet((await make_lab()).world.ports, TENANT, COMPONENT)
    assert look == FleetLook(4, 4, {"3.6.0": 4})


async def test_look_at_a_fleet_that_does_not_answer_ends(make_lab: MakeLab) -> None:
    ports = with_fleets((await make_lab()).world.ports, None)
    begun = asyncio.get_running_loop().time()
    look = await look_at_fleet(ports, TENANT, COMPONENT)
    assert look.problem == "the fleet did not answer within 8 s"
    assert asyncio.get_running_loop().time() - begun == pytest.approx(LOOK_SECONDS)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RefusedToken("the agent answered 401"), "the agent answered 401"),
        (ValueError("secret-host:8080"), "the fleet's connection cannot be used"),
    ],
)
async def test_look_that_fails_says_why_without_secrets(
    make_lab: MakeLab, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    look = await look_at_fleet(with_fleets((await make_lab()).world.ports, error), TENANT, COMPONENT)
    assert (look.problem, look.versions) == (said, None)
    assert ("secret-host" in caplog.text) is isinstance(error, ValueError)


async def test_look_at_the_fleet_of_no_deployment_is_not_found(make_lab: MakeLab) -> None:
    with pytest.raises(NotFound):
        await look_at_fleet((await make_lab()).world.ports, "another", COMPONENT)
