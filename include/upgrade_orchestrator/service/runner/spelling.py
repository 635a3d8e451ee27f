"""A fleet whose versions are spelled as the registry spells them (specification section 4, "Same version")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.instance.fleet import Fleet, FleetInstance, Health
from upgrade_orchestrator.domain.registry.entries import Deployment
from upgrade_orchestrator.domain.registry.schemes import Scheme, same_version
from upgrade_orchestrator.service.ports.fleet import FleetDriver
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.runner.journal.logged_driver import LoggedDriver


@dataclass(frozen=True)
class Spelling:
    """The registry's texts of the versions that an upgrade goes from and to, under the component's scheme.

    What the fleet says in another spelling is kept as ``reported``. A text that could mean both is the old version, so
    that no instance is taken for upgraded that is not.
    """

    scheme: Scheme
    from_version: str
    to_version: str
    further: tuple[str, ...] = ()
    """The other versions to which a revert brings instances."""
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, version: str) -> str:
        """The registry's text for the version; the text itself when it is none of them."""
        found = self._known.get(version)
        return found if found is not None else self._known.setdefault(version, self._find(version))

    def _find(self, version: str) -> str:
        texts = (self.from_version, self.to_version, *self.further)
        if version in texts:
            return version
        return next((each for each in texts if same_version(self.scheme, each, version)), version)

    def with_further(self, versions: Iterable[str]) -> Spelling:
        """The spelling that also knows these; of several texts that mean one version, one is kept."""
        spelling = replace(self, _known={})
        for each in versions:
            if spelling.of(each) not in (self.from_version, self.to_version, *spelling.further):
                spelling = replace(spelling, further=(*spelling.further, each), _known={})
        return spelling

    def fleet(self, fleet: Fleet) -> Fleet:
        """The fleet with these texts."""
        if all(each.version is None or self.of(each.version) == each.version for each in fleet.instances):
            return fleet
        return replace(fleet, instances=tuple(map(self._instance, fleet.instances)))

    def _instance(self, found: FleetInstance) -> FleetInstance:
        if found.version is None or self.of(found.version) == found.version:
            return found
        return replace(found, version=self.of(found.version), reported=found.version)

    def health(self, answer: Health) -> Health:
        """The response with these texts."""
        if answer.version is None or self.of(answer.version) == answer.version:
            return answer
        return replace(answer, version=self.of(answer.version), reported=answer.version)


class SpelledDriver:
    """Port ``FleetDriver``: orders are passed on unchanged."""

    def __init__(self, driver: FleetDriver, spelling: Spelling) -> None:
        self._driver, self._spelling = driver, spelling
        self.drain, self.undrain, self.set_version = driver.drain, driver.undrain, driver.set_version
        self.make_pool, self.remove_pool, self.switch_traffic = (
            driver.make_pool,
            driver.remove_pool,
            driver.switch_traffic,
        )

    async def fleet(self) -> Fleet:
        """All instances, in the registry's spelling."""
        return self._spelling.fleet(await self._driver.fleet())

    async def health(self, instance_id: str) -> Health:
        """The instance's own health, in the registry's spelling."""
        return self._spelling.health(await self._driver.health(instance_id))


@asynccontextmanager
async def fleet_of(ports: Ports, execution: Execution, deployment: Deployment) -> AsyncIterator[FleetDriver]:
    """The driver of the execution's fleet, for everything that compares versions; it tells each order in the log.

    :raises FleetError: the connection or the driver is not known.
    """
    scheme, further = Scheme(execution.version_scheme), execution.further_targets
    spelling = Spelling(scheme, execution.from_version, execution.to_version, further)
    async with ports.fleets.of(deployment) as driver:
        yield SpelledDriver(LoggedDriver(driver), spelling)
