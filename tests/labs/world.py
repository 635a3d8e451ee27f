"""The base of a test of the use cases, whichever store and fleet are behind the ports."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from local.fleet.client import Json
from tests.labs.scripted import AskedParses, ScriptedPeople, ScriptedRuns
from upgrade_orchestrator.service.ports.unit_of_work import Ports


class Admin(Protocol):
    """Breaks and reads fleets: see local.fleet.client.FleetAdmin."""

    def fleets(self) -> list[Json]: ...
    def fleet(self, fleet: str) -> Json: ...
    def delete(self, fleet: str) -> None: ...
    def fault(
        self,
        fleet: str,
        kind: str,
        instance: str | None = None,
        *,
        seconds: float | None = None,
        times: int | None = None,
    ) -> list[Json]: ...
    def clear_faults(self, fleet: str, instance: str | None = None, kind: str | None = None) -> None: ...
    def log(self, fleet: str) -> list[Json]: ...
    def kill(self, fleet: str, instance: str) -> int: ...


@dataclass(frozen=True)
class World(ABC):
    """`ports` reach everything; `admin` breaks `fleet`; `parses`, `airflow` and `people` stand in for Airflow."""

    ports: Ports
    fleet: str
    admin: Admin
    parses: AskedParses
    airflow: ScriptedRuns
    people: ScriptedPeople

    @abstractmethod
    def rows(self, table: str) -> int:
        """How many rows the store's table has."""

    @abstractmethod
    def lease(self) -> tuple[str, int, bool]:
        """Owner and token of the only lease, and whether it is held now."""

    @abstractmethod
    def end_lease(self) -> None:
        """Make the lease expire, as if its holder had been silent for too long."""
