"""The excerpt in docs/troubleshooting.md is what a task's log says."""

import asyncio
import logging
import re

import pytest

from tests.guides import code_blocks
from tests.labs.memory.lab import MakeLab
from tests.unit.docs.pages import page, section
from upgrade_orchestrator.domain.plan.steps import Step, StepKind
from upgrade_orchestrator.service.runner.journal.task_log import log
from upgrade_orchestrator.service.steps.work import run_step

PAGE = section(page("troubleshooting.md"), "## The log of a task")
((_, EXCERPT),) = code_blocks(PAGE)
_VARIES = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"(demo|lab)-\d+", "INSTANCE"),
    (r"fleet=\w+ connection=\w+", "FLEET"),
    (r"until=\S+Z", "UNTIL"),
    (r"\d+\.\ds", "SECONDS"),
    (r"in \d+ ms", "TOOK"),
    (r"(batch|token)=\d+", r"\1=N"),
)


def without_what_varies(line: str) -> str:
    for pattern, name in _VARIES:
        line = re.sub(pattern, name, line)
    return line


async def test_every_line_of_the_excerpt_is_written_by_a_task_in_which_an_instance_fails(
    make_lab: MakeLab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lab = await make_lab(size=2, drain_seconds=1.0)
    execution_id = await lab.admitted(batch_size=1, batch_delay_seconds=30, failure_threshold=100)
    lab.fault("upgrade-fails", 1)
    await lab.run(execution_id, 1)
    step = Step(StepKind.BATCH, 2)
    await asyncio.wait_for(run_step(lab.world.ports, execution_id, step, None), 300)
    messages = [each.getMessage() for each in caplog.records if each.name == log.name]
    written = {without_what_varies(line) for each in messages for line in each.splitlines()}
    assert [line for line in EXCERPT.splitlines() if without_what_varies(line) not in written] == []


def test_every_word_with_which_a_line_begins_is_explained() -> None:
    lines = [each for each in EXCERPT.splitlines() if not each.startswith(" ")]
    explained = {word for row in re.findall(r"^\| (`.*?) \| ", PAGE, re.M) for word in re.findall(r"`(\w+)", row)}
    assert {each.split()[0] for each in lines} <= explained
