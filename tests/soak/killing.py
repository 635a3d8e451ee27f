"""A component of the stack is killed (-9) at a random moment while all five strategies are in progress side by side.

There is no other help than that the killed process is started again, as a supervisor would do.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import httpx
import psutil

from local.airflow.settings import API_SERVER, SCHEDULER, TRIGGERER
from local.stack.stack import Stack
from tests.e2e.case import STRATEGIES, Case
from tests.e2e.conftest import NewTenant
from tests.e2e.processes import workers
from tests.e2e.steps import TERMINAL, Json, wait_for

WORKER = "worker"
COMPONENTS = (WORKER, TRIGGERER, SCHEDULER, API_SERVER)
KILLED_WITHIN_SECONDS = {WORKER: 3.0}
"How long to wait at most before that, by component; 12 s by default. Later there may be no task in a worker any more."
DEADLINE_SECONDS = 400.0
"A killed worker is noticed after 30 s without a heartbeat; the rest is for a busy machine."

ClientOf = Callable[[str], httpx.Client]


def upgrade_while_killing(
    stack: Stack, new_tenant: NewTenant, client_of: ClientOf, component: str, random: Random
) -> int:
    """Every upgrade completes, and no instance is upgraded twice; returns how many there were."""
    cases = _started(new_tenant, client_of, random)
    _kill_within(stack, component, random, cases)
    for case, execution_id in cases.items():
        case.check_end(execution_id, "COMPLETED")
        assert case.each_upgraded_once(), case.strategy
        assert case.serving() == {"3.7.0": case.tenant.size}
    return len(cases)


def roll_back_while_killing(
    stack: Stack, new_tenant: NewTenant, client_of: ClientOf, component: str, random: Random
) -> int:
    """Every upgrade is rolled back as it begins, and ends so; returns how many there were."""
    cases = _started(
        new_tenant, client_of, random, fastest=4, slowest=10
    )  # no upgrade may end before it is rolled back
    _roll_back_as_they_begin(cases)
    _kill_within(stack, component, random, cases)
    for case, execution_id in cases.items():
        case.check_end(execution_id, "ROLLED_BACK")
        assert case.serving() == {"3.6.0": case.tenant.size}
    return len(cases)


def _started(
    new_tenant: NewTenant, client_of: ClientOf, random: Random, fastest: float = 0.6, slowest: float = 3
) -> dict[Case, str]:
    """Start each strategy on a fleet of its own, whose instances take that many seconds."""
    seconds = {strategy: random.uniform(fastest, slowest) for strategy in STRATEGIES}
    cases = [Case(each, new_tenant(upgrade_seconds=seconds[each]), client_of("anna")) for each in STRATEGIES]
    return {case: case.start() for case in cases}


def _roll_back_as_they_begin(cases: dict[Case, str]) -> None:
    waiting = dict(cases)

    def look() -> bool:
        for case in [each for each in waiting if each.tenant.upgraded()]:
            case.command(waiting.pop(case), "rollback", reason="a bad night")
        return not waiting

    wait_for("an instance of each to be upgraded", look, most_between=0.5)


def _kill_within(stack: Stack, component: str, random: Random, cases: dict[Case, str]) -> None:
    """Kill at a random moment of the next seconds, start again, and do what a person does until all have ended."""
    began, away = time.monotonic(), random.uniform(0, 3)
    kill_at = random.uniform(0, KILLED_WITHIN_SECONDS.get(component, 12.0))
    killed = back = False
    while not (back and all(_has_ended(case, execution_id) for case, execution_id in cases.items())):
        waited = time.monotonic() - began
        assert waited < DEADLINE_SECONDS, {case.strategy: _status(case, each) for case, each in cases.items()}
        if not killed and waited >= kill_at:
            killed = _kill(stack, component, random)
        if killed and not back and waited >= kill_at + away:
            back = True
            if component != WORKER:
                stack.start(component)
        time.sleep(0.2)


def _has_ended(case: Case, execution_id: str) -> bool:
    """Whether the upgrade has ended; if it waits for a person, do what it waits for.

    A server that is away gives no answer, nor does one that has just come back: 503 (section 8).
    """
    with suppress(httpx.TransportError):
        answer = case.tenant.api.get(f"/upgrades/{execution_id}")
        if answer.status_code == 503:
            assert "Retry-After" in answer.headers
            return False
        assert answer.status_code == 200, answer.text
        execution: Json = answer.json()
        if execution["status"] in TERMINAL:
            return True
        _act(case, execution)
    return False


def _act(case: Case, execution: Json) -> None:
    path = f"/upgrades/{execution['id']}"
    if execution["status"] == "CANARY_MONITORING" and execution["canary"]["healthy"]:
        case.tenant.api.post(f"{path}/promote-canary")
    if waiting := execution["awaitingApproval"]:
        case.approver.post(f"{path}/stages/{waiting['stage']}/approve", json={"reason": "go on"})


def _status(case: Case, execution_id: str) -> str:
    try:
        execution = case.tenant.execution(execution_id)
    except httpx.TransportError as error:
        return repr(error)
    return f"{execution['status']}: {execution['statusReason']}"


def _kill(stack: Stack, component: str, random: Random) -> bool:
    """Kill it and return True; a worker is killed only while it has a task, as soon as there is one."""
    if component != WORKER:
        stack.kill(component)
        return True
    busy = _busy_workers(stack)
    if busy:
        worker = random.choice(busy)
        for process in (worker, *worker.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    return bool(busy)


def _busy_workers(stack: Stack) -> list[psutil.Process]:
    """LocalExecutor's workers whose titles do not say that they are idle.

    One of the idle ones holds the lock of the executor's queue, which would stay locked if that one is killed.
    """
    busy = (each for each, title in workers(stack).items() if "<idle>" not in title)
    return sorted(busy, key=lambda each: each.pid)
