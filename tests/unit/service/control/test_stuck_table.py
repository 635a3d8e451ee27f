"""The stuck table: for each code of ``attention``, what keeps the upgrade, what to do, and when it is named."""

import asyncio

import pytest

from tests.architecture.sources import ROOT
from tests.exact_counts import hold
from tests.labs.lab import abandoned, until
from tests.labs.memory.lab import MakeLab
from tests.labs.stopwatch import agent, airflow
from tests.labs.stopwatch.airflow import AirflowFault
from tests.labs.stopwatch.faults import FAULTS, Fault
from tests.labs.stopwatch.run import time_to_name
from upgrade_orchestrator.domain.checks.checks import StoredObject
from upgrade_orchestrator.domain.execution.attention import AIRFLOW_CAUSES, CAUSES
from upgrade_orchestrator.service.control.attention import LOOKS
from upgrade_orchestrator.service.control.loops import ATTENTION_SECONDS
from upgrade_orchestrator.web.view.remedies import REMEDIES

PAGE = ROOT / "docs" / "troubleshooting.md"
LIMITS = {"DAG_NOT_PARSED": 15, "DAG_PAUSED": 0, "NOT_SCHEDULED": 60, "NO_POOL_SLOT": 15, "NO_WORKER": 20}
LIMITS |= {"TASK_LOST": 20, "TASK_FAILING": 0, "SCHEDULER_DOWN": 30, "TRIGGERER_DOWN": 30, "DAG_PROCESSOR_DOWN": 30}
"Seconds for which Airflow has time to go on by itself: what a look sees after that is a failure."
LATEST = 10.0
each_airflow_fault = pytest.mark.parametrize("fault", airflow.FAULTS, ids=lambda fault: fault.code)


def _answers(status: int, code: str) -> Fault:
    def begin(lab: object, client: agent.BrokenClient) -> None:
        client.broken = agent.answers(status)

    return Fault(code, begin, code)


def _of(name: str, code: str) -> Fault:
    (found,) = [each for each in FAULTS if each.name == name]
    return Fault(code, found.begin, found.says)


RUNNER_FAULTS = (
    _answers(500, "FLEET_ERROR"),
    _of("an answer of more than 16 MiB", "FLEET_PROTOCOL"),
    _answers(503, "FLEET_BUSY"),
    _answers(401, "FLEET_REFUSED_TOKEN"),
    _answers(404, "FLEET_UNKNOWN"),
    _of("nothing listens at the agent's address", "FLEET_UNREACHABLE"),
    _of("the Airflow connection is deleted", "FLEET_CONNECTION"),
    _of("the fleet has seen a higher token (412)", "STALE_TOKEN"),
)


async def storage_is_named(make_lab: MakeLab) -> float:
    """Seconds from the begin of a check whose storage hangs."""
    lab = await make_lab(size=2)
    execution_id = (await lab.validating()).id

    async def hangs(location: str, *, whole: bool = True) -> StoredObject:
        await asyncio.sleep(3600)
        raise AssertionError

    began = asyncio.get_running_loop().time()
    task = asyncio.create_task(lab.with_ports(read_object=hangs).check(execution_id))
    await until(lambda: lab.attention() is not None, "the storage is named", 60)
    await abandoned(task)
    return asyncio.get_running_loop().time() - began


def test_every_code_has_words_and_a_remedy() -> None:
    assert REMEDIES.keys() == CAUSES.keys()
    assert {each.code for each in airflow.FAULTS} == AIRFLOW_CAUSES.keys() == LIMITS.keys()


@each_airflow_fault
async def test_cause_in_airflow_is_named_within_ten_seconds_of_the_second_look_that_sees_it(
    make_lab: MakeLab, fault: AirflowFault
) -> None:
    named = await airflow.time_to_name(make_lab, fault)
    assert LIMITS[fault.code] < named + 0.001, "Airflow has had its time"
    assert named <= LIMITS[fault.code] + 2 * ATTENTION_SECONDS + LATEST
    assert named <= LIMITS[fault.code] + (LOOKS + 1) * ATTENTION_SECONDS


async def test_stuck_table_is_what_the_document_says(make_lab: MakeLab) -> None:
    seconds = {each.code: await airflow.time_to_name(make_lab, each) for each in airflow.FAULTS}
    for fault in RUNNER_FAULTS:
        named = await time_to_name(make_lab, fault)
        assert named is not None
        seconds[fault.name] = named
    seconds["STORE_UNREACHABLE"] = await storage_is_named(make_lab)
    table = {
        words: (f"`{code}`", REMEDIES[code], f"{round(seconds[code] * 2) / 2:g}" if code in seconds else "–")
        for code, words in CAUSES.items()
    }
    hold("what keeps it", table, "## It needs attention", page=PAGE)
