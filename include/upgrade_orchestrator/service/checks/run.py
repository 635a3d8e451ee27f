"""Use case: run the pre-upgrade checks of an execution and store their results (specification section 7)."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from upgrade_orchestrator.domain.checks.admission import admit
from upgrade_orchestrator.domain.checks.checks import OPEN, CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.checks.probes import CheckContext, run_probe
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.attention import without_the_checks_word
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.journal import sentences
from upgrade_orchestrator.service.runner.journal.task_log import TaskLog
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.runner.wait import wait_until

CHECK_ABANDONED_AFTER_SECONDS = 30.0
"For so long a check is left to the process that runs it, which is taken for dead then. Running it twice does no harm."

log = TaskLog()


async def validate(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Run the checks that no other process runs, until the execution has left VALIDATING: DONE.

    UNFINISHED after about ``seconds`` (None: no limit).

    :raises NotFound: no such execution.
    """
    end = inf if seconds is None else get_running_loop().time() + seconds

    async def run_round() -> Outcome | float:
        await _run_checks(ports, execution_id, end - get_running_loop().time())
        execution = await find_execution(ports, execution_id)
        return CHECK_ABANDONED_AFTER_SECONDS if execution.status is ExecutionStatus.VALIDATING else Outcome(Ending.DONE)

    return await wait_until(run_round, ports, execution_id, seconds)


async def _run_checks(ports: Ports, execution_id: str, seconds: float) -> None:
    """Run the free checks concurrently; a check that takes longer than ``seconds`` is left to its own task."""
    begun = await _begin(ports, execution_id, CheckName, again=False) if seconds > 0 else None
    if begun is None:
        return
    probes = {name: asyncio.create_task(run_probe(ports, begun.case, name)) for name in begun.names}
    try:
        _, late = await asyncio.wait(probes.values(), timeout=None if seconds == inf else seconds)
    finally:
        for each in probes.values():
            each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    results = [_open(name) if each in late else each.result() for name, each in probes.items()]
    await _keep(ports, execution_id, begun, results)


def _open(name: CheckName) -> CheckResult:
    return CheckResult(name, CheckStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Validation:
    """An execution with the results of its checks, as of ``now``."""

    execution: Execution
    checks: Mapping[CheckName, CheckResult]
    now: datetime


async def read_validation(ports: Ports, execution_id: str) -> Validation:
    """Read the execution and its checks.

    :raises NotFound: no such execution.
    """
    async with ports.work() as work:
        execution = await work.executions.get(execution_id)
        checks = await work.executions.checks(execution_id)
        return Validation(execution, {each.name: each for each in checks}, await work.now())


Read = Callable[[Ports, str], Awaitable[Validation]]


async def run_check(
    ports: Ports,
    execution_id: str,
    name: CheckName,
    again: bool = False,
    first_step_seconds: float = 0.0,
    read: Read = read_validation,
) -> CheckResult:
    """The check's result, from the rows or by running it now; ``again`` runs it in any case.

    For ``first_step_seconds`` after the execution's start the check is left to the first step, which runs all checks
    together. ``read`` is ``read_validation``, or a function that batches it for several callers.

    No check is run once the execution has left VALIDATING.

    :raises NotFound: no such execution.
    """
    if again:
        turn = await _begin_again(ports, execution_id, name)
    else:
        turn = await _wait_for_turn(ports, execution_id, name, first_step_seconds, read)
    if isinstance(turn, CheckResult):
        return turn
    result = await run_probe(ports, turn.case, name)
    await _keep(ports, execution_id, turn, [result])
    return result


async def _begin_again(ports: Ports, execution_id: str, name: CheckName) -> CheckResult | _Begun:
    begun = await _begin(ports, execution_id, [name], again=True)
    return begun or _result_of((await read_validation(ports, execution_id)).checks[name])


async def _wait_for_turn(
    ports: Ports, execution_id: str, name: CheckName, first_step_seconds: float, read: Read
) -> CheckResult | _Begun:
    """The result of another process; or the begun check, once no other process runs it."""
    async with ports.signals.of(execution_id) as waiter:
        while not isinstance(found := _find(await read(ports, execution_id), name, first_step_seconds), CheckResult):
            if found > 0:
                await waiter.wait(found)
            elif begun := await _begin(ports, execution_id, [name], again=False):
                return begun
    return found


def _find(validation: Validation, name: CheckName, first_step_seconds: float) -> CheckResult | float:
    """The result, or the seconds for which the check is left to another process."""
    execution, found, now = validation.execution, validation.checks[name], validation.now
    if execution.status is not ExecutionStatus.VALIDATING or found.status not in OPEN:
        return _result_of(found)
    return max(_left_to_others(found, now), _left_to_first_step(execution, found, now, first_step_seconds))


def _left_to_others(found: CheckResult, now: datetime) -> float:
    """The seconds for which the check is left to the process that runs it."""
    if found.status is not CheckStatus.RUNNING or found.started_at is None:
        return 0.0
    runs_for = (now - found.started_at).total_seconds()
    if not 0 <= runs_for < CHECK_ABANDONED_AFTER_SECONDS:  # below 0 the clock was set back
        return 0.0
    return CHECK_ABANDONED_AFTER_SECONDS - runs_for


def _left_to_first_step(execution: Execution, found: CheckResult, now: datetime, first_step_seconds: float) -> float:
    """The seconds for which the check is left to the execution's first step, which has not begun."""
    if found.status is not CheckStatus.PENDING or execution.started_at is None:
        return 0.0
    waited = (now - execution.started_at).total_seconds()
    return max(0.0, first_step_seconds - waited) if waited >= 0 else 0.0  # else the clock has jumped


def _is_free(found: CheckResult, now: datetime) -> bool:
    return found.status in OPEN and _left_to_others(found, now) == 0.0


def _result_of(found: CheckResult) -> CheckResult:
    if found.status not in OPEN:
        return found
    return CheckResult(found.name, CheckStatus.PENDING, "the execution is not VALIDATING any more")


@dataclass(frozen=True, slots=True)
class _Begun:
    """The input of the checks, and the checks that this process has to run."""

    case: CheckContext
    names: list[CheckName]


async def _begin(ports: Ports, execution_id: str, names: Iterable[CheckName], again: bool) -> _Begun | None:
    """Mark the free checks as RUNNING; None when there is none to run."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)  # admission must not decide in between
        known, now = {each.name: each for each in await work.executions.checks(execution_id)}, await work.now()
        wanted = [each for each in names if again or _is_free(known[each], now)]
        if execution.status is not ExecutionStatus.VALIDATING or not wanted:
            return None
        case = await _case(work, execution, now)
        running = [CheckResult(each, CheckStatus.RUNNING, started_at=now) for each in wanted]
        await work.executions.save_checks(execution_id, running)
        await work.commit()
    log.say(f"check begin: {', '.join(each.value for each in wanted)}")
    return _Begun(case, wanted)


async def _case(work: UnitOfWork, execution: Execution, now: datetime) -> CheckContext:
    request = execution.request
    deployment = await work.registry.deployment(execution.tenant_id, request.component_id)
    source = await work.registry.version(request.from_version_id)
    target = await work.registry.version(request.to_version_id)
    assert deployment is not None  # foreign keys guarantee all three
    assert source is not None
    assert target is not None
    return CheckContext(
        execution_id=execution.id,
        tenant_id=execution.tenant_id,
        request=request,
        deployment=deployment,
        source=source,
        target=target,
        path=await work.registry.path(request.from_version_id, request.to_version_id),
        instances=tuple(each.instance_id for each in await work.executions.instances(execution.id)),
        now=now,
        reverts=execution.revert_of is not None,
    )


async def _keep(ports: Ports, execution_id: str, begun: _Begun, results: Sequence[CheckResult]) -> None:
    """Store the results; with the last check the execution is admitted or FAILED in the same transaction."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.VALIDATING:
            return
        now, known = await work.now(), {each.name: each for each in await work.executions.checks(execution_id)}
        ended = [each for each in results if each.status not in OPEN and not _is_outdated(begun, known[each.name])]
        done = [replace(each, started_at=begun.case.now, completed_at=now) for each in ended]
        given_back = [each for each in results if each.status in OPEN and _is_ours(begun, known[each.name])]
        if kept := [*done, *given_back]:
            await work.executions.save_checks(execution_id, kept)
        moved, events = admit(execution, list((known | {each.name: each for each in kept}).values()), now)
        await work.events.append(execution, [*map(factory.check_completed, done), *events])
        if events:
            await work.executions.save(await without_the_checks_word(work, moved))
        await work.commit()
    for each in done:
        log.say(*sentences.check(each))
    if events:
        log.say(f"decide {moved.status.value}: {moved.status_reason}")


def _is_ours(begun: _Begun, row: CheckResult) -> bool:
    """Whether no other process has taken the check over or ended it meanwhile."""
    return row.status is CheckStatus.RUNNING and row.started_at == begun.case.now


def _is_outdated(begun: _Begun, row: CheckResult) -> bool:
    """Whether a run of the check that began later has ended already."""
    return row.status not in OPEN and row.started_at is not None and row.started_at > begun.case.now
