"""The ids of the batches' tasks in Airflow: the DAG is built with them, and the status view links to them."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence

from upgrade_orchestrator.domain.airflow.stage_tasks import stage_group
from upgrade_orchestrator.domain.plan.plan import BatchKind

_PREFIX = "batch_"
_NAMED = {BatchKind.CANARY: "canary.deploy", BatchKind.GREEN: "green.provision"}


def batch_group(first: int) -> str:
    """The task group that begins with batch ``first``."""
    return f"{_PREFIX}{first:03d}"


def first_batches(tasks: Iterable[str]) -> list[int]:
    """The number of the first batch of each batch group among the ids of a run's tasks, in order."""
    groups = {each.partition(".")[0] for each in tasks if each.startswith(_PREFIX)}
    return sorted(int(number) for each in groups if (number := each.removeprefix(_PREFIX)).isdecimal())


def task_of_batch(kind: BatchKind, number: int, first_of_groups: Sequence[int] = ()) -> str:
    """The id of the task that works on batch ``number``, given ``first_batches`` of its run.

    Without a group that begins at or before it, as while Airflow has not read the DAG yet, the task of its own group.
    """
    if kind is BatchKind.STAGE:
        return f"{stage_group(number)}.upgrade"
    if kind in _NAMED:
        return _NAMED[kind]
    found = bisect(first_of_groups, number)
    return f"{batch_group(first_of_groups[found - 1] if found else number)}.upgrade"
