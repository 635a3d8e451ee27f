"""Where an upgrade begins is decided at its start: in a worker, while one is free for it."""

from dataclasses import replace

import pytest

from tests.labs.memory.lab import MakeLab


@pytest.mark.parametrize(("places", "in_worker"), [(0, False), (1, True), (2, True)])
async def test_upgrade_begins_in_a_worker_while_one_is_free(make_lab: MakeLab, places: int, in_worker: bool) -> None:
    lab = await make_lab(size=2)
    lab = lab.with_ports(options=replace(lab.world.ports.options, worker_places=places))
    execution = await lab.validating()
    assert execution.begins_in_worker is in_worker
    assert await lab.execution(execution.id) == execution
