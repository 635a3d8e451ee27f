"""Whether what the service needs answers (contract section 1, GET /health)."""

from __future__ import annotations

from include.upgrades.service.ports import Ports


async def check_database(ports: Ports) -> None:
    """One statement through the unit of work.

    :raises Unavailable: when the database does not answer.
    """
    async with ports.work() as work:
        await work.now()
