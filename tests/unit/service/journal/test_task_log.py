"""The log of a batch's task: orders with answers, changes, decisions and waits, and nothing in every round."""

import asyncio
import logging
import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.labs.lab import Lab
from tests.labs.memory.lab import MakeLab
from tests.labs.steps.pools import blue_green, over
from tests.unit.domain.builders import make_instance
from upgrade_orchestrator.domain.blue_green.cutover import Goal
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.fleet import Health
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.service.rollout.batch import run_batch
from upgrade_orchestrator.service.rollout.canary import monitor_canary
from upgrade_orchestrator.service.runner.journal.journal import Journal
from upgrade_orchestrator.service.runner.journal.task_log import REPEATED_SECONDS, TaskLog, log
from upgrade_orchestrator.service.runner.outcome import Outcome


async def run(lab: Lab, execution_id: str, number: int, seconds: float | None = None) -> Outcome:
    """Run a batch for as long as it takes: time is virtual."""
    return await run_batch(lab.world.ports, await lab.context(execution_id), number, seconds)


class Lines:
    """The sentences of the task's log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self._caplog = caplog

    def all(self) -> list[str]:
        return [each.getMessage() for each in self._caplog.records if each.name == log.name]

    def of(self, pattern: str) -> list[str]:
        return [each for each in self.all() if re.search(pattern, each)]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    return Lines(caplog)


async def test_way_of_an_instance_is_in_the_log_with_orders_answers_and_reasons(
    make_lab: MakeLab, lines: Lines
) -> None:
    lab = await make_lab(size=1, drain_seconds=2.0, upgrade_seconds=3.0)
    execution_id = await lab.admitted()
    await lab.run(execution_id, 1)
    one, key = lab.name(1), f"{execution_id}.{lab.name(1)}.1"
    way = [
        rf"^decide start batch=1 instances=1 unavailable=0 budget=1: {one}$",
        rf"^change instance={one} batch=1 from=PENDING to=DRAINING try=1: begins, from 3.6.0 to 3.7.0$",
        rf"^order drain instance={one} token=1 key={key}.drain.forth-draining -> 202 in \d+ ms$",
        rf"^decide wait for=in-flight: {one} DRAINING for 0 s$",
        rf"^change instance={one} batch=1 from=DRAINING to=UPGRADING try=1 after=[12]\.\ds: is drained",
        rf"^order version instance={one} version=3.7.0 token=1 key={key}.version.forth-upgrading -> 202 in \d+ ms$",
        rf"^change instance={one} batch=1 from=UPGRADING to=HEALTH_CHECKING try=1 after=\d\.\ds: runs 3.7.0$",
        rf"^change instance={one} batch=1 from=HEALTH_CHECKING to=COMPLETED try=1 after=0.0s: healthy at 3.7.0$",
        r"^decide done batch=1 completed=1 failed=0$",
    ]
    found = [next(number for number, line in enumerate(lines.all()) if re.search(each, line)) for each in way]
    assert found == sorted(found)


async def test_refused_order_is_in_the_log_with_code_and_the_agents_words_once_while_it_is_repeated(
    make_lab: MakeLab, lines: Lines
) -> None:
    lab = await make_lab(size=1, drain_seconds=0.1)
    execution_id = await lab.admitted()
    lab.fault("agent-503", 1, times=6)
    await lab.run(execution_id, 1)
    refused = lines.of(r"^order drain .* -> FLEET_BUSY in \d+ ms: the agent answered 503 to POST ")
    assert len(refused) == 1
    assert len(lines.of(r"^order drain .* -> 202 in")) == 1


async def test_fleet_that_does_not_answer_is_in_the_log_once_a_minute_and_so_is_its_return(
    make_lab: MakeLab, lines: Lines
) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(health_check_timeout_seconds=1000)
    lab.fault("agent-hangs")
    task = asyncio.create_task(run(lab, execution_id, 1))
    await asyncio.sleep(150)
    lab.heal()
    await task
    silent = lines.of("^look fleet -> FLEET_UNREACHABLE: the agent does not answer")
    assert 2 <= len(silent) <= 3
    assert re.search(r"; still so after \d+ looks$", silent[1])
    assert len(lines.of(r"^look fleet -> answers again after \d+ looks without$")) == 1


async def test_delay_between_batches_is_in_the_log_once_with_its_end(make_lab: MakeLab, lines: Lines) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=3600, max_unavailable_percentage=100)
    await lab.run(execution_id, 1)
    await run(lab, execution_id, 2, 600)
    (waits,) = lines.of("for=delay")
    due = (await lab.batches(execution_id))[1].due_at
    assert due is not None
    assert waits.startswith(f"decide wait for=delay until={due:%Y-%m-%dT%H:%M:%S}Z: ")


async def test_second_try_and_the_end_of_the_budget_are_in_the_log_with_their_reasons(
    make_lab: MakeLab, lines: Lines
) -> None:
    lab = await make_lab(size=2)
    lab.fault("upgrade-fails")
    execution_id = await lab.admitted(batch_size=1, failure_threshold=100)
    assert (await lab.run_batches(execution_id)).status is ExecutionStatus.FAILED
    assert len(lines.of(r"^decide again batch=\d instances=1 unavailable=1 budget=1: lab-0\d$")) == 1
    assert len(lines.of(r"^change instance=lab-0\d .* from=FAILED to=DRAINING try=2: one more try, after: the ")) == 1
    assert len(lines.of(r"^decide stop batch=\d: no budget left: unavailable are lab-0\d$")) == 1
    assert len(lines.of(r"^decide stop batch=\d: the execution is FAILED$")) == 1


async def test_poll_is_in_the_log_only_when_it_says_something_new(make_lab: MakeLab, lines: Lines) -> None:
    lab = await make_lab(size=1)
    lab.fault("comes-up-unhealthy", 1)
    execution_id = await lab.admitted(health_check_timeout_seconds=20)
    await lab.run_batches(execution_id)
    polls = lines.of("^poll instance=lab-01 healthy=false version=3.7.0: the instance says that it is unhealthy$")
    assert len(polls) == 2  # once for each try, of about twenty polls each


async def test_batch_of_many_instances_has_lines_by_what_happens_and_none_by_round(
    make_lab: MakeLab, lines: Lines
) -> None:
    lab = await make_lab(size=60, upgrade_seconds=100.0)
    execution_id = await lab.admitted(
        batch_size=60, max_unavailable_percentage=100, health_check_timeout_seconds=3600, soak_seconds=60
    )
    await run(lab, execution_id, 1)
    words = Counter(each.split()[0] for each in lines.all())
    assert words.pop("change") == 4 * 60
    assert words.pop("order") == 2 * 60
    assert words.pop("poll") == 60  # healthy for the first time; the soak's other polls say the same
    assert sum(words.values()) < 40
    assert max(map(len, lines.all())) < 1000


async def test_cutover_between_pools_is_in_the_log(make_lab: MakeLab, lines: Lines) -> None:
    lab = await make_lab(size=2)
    execution_id = await lab.admitted(**blue_green())
    await lab.run(execution_id, 1)
    await over(lab, execution_id, Goal.RETIRED)
    assert len(lines.of(r"^order make-pool pool=green version=3.7.0 size=2 token=\d+ key=\S+ -> 202 in \d+ ms$")) == 1
    assert len(lines.of(r"^order traffic pool=green token=\d+ key=\S+ -> 200 in \d+ ms$")) == 1
    assert len(lines.of(r"^order remove-pool pool=blue token=\d+ key=\S+ -> 202 in \d+ ms$")) == 1
    assert [each.split()[3] for each in lines.of("^decide next")] == [
        "phase=SWITCH",
        "phase=SOAK",
        "phase=RETIRE",
        "phase=DONE",
    ]


async def test_polls_of_canaries_are_in_the_log_when_they_differ(make_lab: MakeLab, lines: Lines) -> None:
    lab = await make_lab(size=4)
    execution_id = await lab.admitted(strategy=Strategy.CANARY, canary_percentage=25)
    await lab.run(execution_id, 1)
    await monitor_canary(lab.world.ports, await lab.context(execution_id), 10)
    (canary,) = (await lab.context(execution_id)).plan.canary
    lab.fault("unhealthy", int(canary[-2:]))
    await monitor_canary(lab.world.ports, await lab.context(execution_id), 10)
    assert lines.of("^poll canaries") == [
        "poll canaries healthy=true for=promotion",
        f"poll canaries healthy=false for=promotion: {canary}: the instance says that it is unhealthy",
    ]


async def test_polls_that_differ_in_their_figures_only_do_not_fill_the_log_of_a_day(
    make_lab: MakeLab, lines: Lines
) -> None:
    journal, row = Journal(), make_instance("i-1", InstanceStatus.HEALTH_CHECKING)
    for second in range(3600):
        answer = Health(healthy=False, version="3.7.0", detail=f"up for {second}s, request 7f{second:04x} failed")
        after = replace(row, healthy=False, error=answer.detail)
        journal.polled(row, after, answer)
        row = after
        await asyncio.sleep(1)
    polls = lines.of("^poll instance=i-1 ")
    assert 50 < len(polls) <= 61
    assert polls[-1].endswith(" failed; still so after 3541 looks")
    journal.polled(row, replace(row, error="no database"), Health(False, "3.7.0", "no database"))
    assert lines.of("^poll instance=i-1 ")[-1].endswith(": no database")


async def test_line_breaks_of_a_reason_begin_no_line_that_looks_like_another(make_lab: MakeLab, lines: Lines) -> None:
    TaskLog().say("poll instance=a healthy=false: one\norder drain instance=b -> 202 in 1 ms")
    assert lines.all() == ["poll instance=a healthy=false: one\n  | order drain instance=b -> 202 in 1 ms"]


async def test_sentence_about_something_else_is_written_although_the_first_was_just_before(
    make_lab: MakeLab, lines: Lines
) -> None:
    journal = TaskLog()
    for same in ("a", "a", "b", "a"):
        journal.once("what", same, same)
    assert lines.all() == ["a", "b", "a"]
    await asyncio.sleep(REPEATED_SECONDS)
    journal.once("what", "a", "a")
    assert lines.all()[3:] == ["a; still so after 2 looks"]
