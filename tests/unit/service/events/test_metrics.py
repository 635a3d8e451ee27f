"""The metrics of upgrades: each value is counted once, also after crashes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.labs.lab import Lab
from tests.labs.memory.lab import MakeLab
from upgrade_orchestrator.adapters.memory.events.cursors import MemoryEventCursors
from upgrade_orchestrator.domain.approval.approval import ask, decide
from upgrade_orchestrator.domain.checks.checks import CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.events.factory import check_completed
from upgrade_orchestrator.domain.events.metrics import METRICS, MetricValue
from upgrade_orchestrator.domain.execution.commands import Actor, Decision
from upgrade_orchestrator.service.control.loops import LOOPS
from upgrade_orchestrator.service.events.metrics import measure
from upgrade_orchestrator.service.events.relay import Relay
from upgrade_orchestrator.service.ports.event_cursors import Span
from upgrade_orchestrator.service.ports.outbox import EventStream
from upgrade_orchestrator.service.ports.unit_of_work import Ports


class Noted:
    """Port ``Metrics``: keeps what it is shown."""

    def __init__(self) -> None:
        self.figures: list[MetricValue] = []

    def are_on(self) -> bool:
        return True

    def show(self, figure: MetricValue) -> None:
        self.figures.append(figure)

    def names(self) -> Counter[str]:
        """How often each was shown that is not a standing gauge of 0."""
        return Counter(each.full_name.removeprefix("upgrades.") for each in self.figures if each.value)


async def _measured(lab: Lab) -> Counter[str]:
    noted = Noted()
    await measure(replace(lab.world.ports, metrics=noted))
    return noted.names()


async def test_upgrade_that_completes_is_measured_once(make_lab: MakeLab) -> None:
    lab = await make_lab(3)
    await lab.upgrade(await lab.admitted(batch_size=2, batch_delay_seconds=0, max_unavailable_percentage=100))
    assert await _measured(lab) == {
        "execution.started.ROLLING": 1,
        "execution.ended.COMPLETED.ROLLING": 1,
        "execution.duration.COMPLETED.ROLLING": 1,
        "batch.duration.BATCH.ROLLING": 2,
        "instance.duration.COMPLETED.ROLLING": 3,
    }
    assert await _measured(lab) == {}, "what was counted once must not be counted again"


async def test_upgrade_that_rolls_back_is_measured_once(make_lab: MakeLab) -> None:
    lab = await make_lab(2)
    fields = {"batch_size": 1, "auto_rollback_enabled": True, "failure_threshold": 1, "batch_delay_seconds": 0}
    execution_id = await lab.admitted(**fields)
    assert (await _measured(lab))["executions.IN_PROGRESS.ROLLING"] == 1
    lab.fault("upgrade-fails", 1, times=1)
    await lab.upgrade(execution_id)
    found = await _measured(lab)
    assert (found["rollback.started.ROLLING"], found["execution.ended.ROLLED_BACK.ROLLING"]) == (1, 1)
    assert (found["instance.failed.ROLLING"], found["instance.duration.FAILED.ROLLING"]) == (1, 1)
    assert "executions.IN_PROGRESS.ROLLING" not in found


async def test_crash_between_marking_and_counting_counts_nothing_twice(make_lab: MakeLab) -> None:
    class Dies(Noted):
        def show(self, figure: MetricValue) -> None:
            raise MemoryError("killed here")

    lab = await make_lab(1)
    await lab.upgrade(await lab.admitted())
    with pytest.raises(MemoryError):
        await measure(replace(lab.world.ports, metrics=Dies()))
    assert "execution.ended.COMPLETED.ROLLING" not in await _measured(lab)


async def test_process_whose_cursor_was_outdated_counts_nothing(make_lab: MakeLab) -> None:
    class SecondToMark(MemoryEventCursors):
        async def mark(self, follower: str, spans: Sequence[Span]) -> list[Span]:
            await super().mark(follower, spans)  # another process leads as well, for a moment
            return await super().mark(follower, spans)

    lab = await make_lab(1)
    await lab.upgrade(await lab.admitted())
    noted = Noted()
    await measure(replace(lab.world.ports, metrics=noted, event_cursors=SecondToMark(lab.world.database)))
    assert noted.names() == {}


def test_metrics_are_measured_by_one_of_the_control_loops() -> None:
    assert measure in [each.use_case for each in LOOPS]


async def test_every_metric_is_used_by_the_tests(make_lab: MakeLab) -> None:
    lab = await make_lab(2)
    lab.fault("upgrade-fails", 1)
    fields = {"batch_size": 1, "batch_delay_seconds": 0, "max_unavailable_percentage": 100}
    execution_id = await lab.admitted(auto_rollback_enabled=True, failure_threshold=1, **fields)
    await lab.upgrade(execution_id)
    await _append_events(lab.world.ports, execution_id)
    noted = Noted()
    ports = replace(lab.world.ports, metrics=noted)
    await measure(ports)
    await Relay(_nowhere).watch(ports)
    assert {each.metric.name for each in noted.figures} == {each.name for each in METRICS}


async def _append_events(ports: Ports, execution_id: str) -> None:
    """What did not happen in this upgrade."""
    check = check_completed(CheckResult(CheckName.DEPENDENCY_CHECK, CheckStatus.FAILED, "something is missing"))
    async with ports.work() as work:
        execution, now = await work.executions.lock(execution_id), await work.now()
        approval, _ = ask(execution, 1, now)
        decided, event = decide(approval, Decision.APPROVED, None, Actor("anna"), now)
        await work.approvals.save(decided)
        await work.events.append(execution, [check, event])
        await work.commit()


async def _nowhere() -> EventStream:
    raise AssertionError("nothing is published here")
