"""A lab on PostgreSQL and the processes of a real fleet agent."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from tests.integration.world import World
from tests.labs.lab import Lab
from upgrade_orchestrator.adapters.postgres.unit_of_work import PostgresUnitOfWork


@dataclass(frozen=True)
class StoreLab(Lab):
    """A lab on PostgreSQL and the agent's processes."""

    world: World


MakeLab = Callable[..., Awaitable[StoreLab]]


def with_lease(world: World, seconds: float) -> World:
    """The same world, where a silent holder of the lease is succeeded after ``seconds``."""
    options = replace(world.ports.options, lease_seconds=seconds)
    work = partial(PostgresUnitOfWork, world.url, seconds)
    return replace(world, ports=replace(world.ports, work=work, options=options))
