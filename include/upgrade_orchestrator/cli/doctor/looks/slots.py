"""Whether there is room for the upgrades' tasks: slots of the pool, of the executor and of the triggerer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from upgrade_orchestrator.cli.doctor.finding import Finding, error, warning, well

POOL = "default_pool"
"The pool of the upgrades' tasks."


def look_at_slots() -> Iterator[Finding]:
    """A task without a slot waits, and its upgrade with it."""
    from airflow.models.pool import Pool

    stats = Pool.slots_stats().get(POOL)
    yield (
        error("pool", f"{POOL} is missing", "airflow pools set default_pool 128 default")
        if stats is None
        else _pool(stats)
    )
    yield _parallelism()


def _pool(stats: Any) -> Finding:
    total, free = stats["total"], stats["open"]
    more = f"give {POOL} more slots (Admin, Pools)"
    if total == 0:
        return error("pool", f"{POOL} has no slots", more)
    if free <= 0:
        return warning("pool", f"all {total} slots of {POOL} are taken: upgrades wait", more)
    return well("pool", f"{free} of {total} slots of {POOL} are free")


def _parallelism() -> Finding:
    from airflow.configuration import conf

    tasks, waiting = conf.getint("core", "parallelism"), conf.getint("triggerer", "capacity")
    if tasks == 1:
        return warning("slots", "[core] parallelism is 1", "set it to 2 or more: a task of another DAG would hold it")
    return well("slots", f"{tasks or 'any number of'} tasks at once in a scheduler, {waiting} waiting in a triggerer")
