"""Use case: run the pre-upgrade checks of an execution and keep what they found (contract section 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from upgrade_orchestrator.domain.checks.admission import admit
from upgrade_orchestrator.domain.checks.checks import OPEN, CheckName, CheckResult, CheckStatus
from upgrade_orchestrator.domain.events import factory
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.checks.probes import Case, look
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.clock import now_seconds
from upgrade_orchestrator.service.runner.context import find_execution
from upgrade_orchestrator.service.runner.outcome import Ending, Outcome
from upgrade_orchestrator.service.runner.wait import wait_until

TAKEN_SECONDS = 30.0
"""How long a check that somebody runs is left to them: longer than a worker has for it. Whoever died is not waited for
any longer; to look twice does no harm, and the later look counts."""


async def validate(ports: Ports, execution_id: str, seconds: float | None) -> Outcome:
    """Run what nobody runs of the checks, until the last of them has decided: DONE.

    UNFINISHED after about ``seconds`` (None: not before).

    :raises NotFound: no such execution.
    """
    end = inf if seconds is None else now_seconds() + seconds

    async def look() -> Outcome | float:
        await _run_checks(ports, execution_id, end - now_seconds())
        execution = await find_execution(ports, execution_id)
        return TAKEN_SECONDS if execution.status is ExecutionStatus.VALIDATING else Outcome(Ending.DONE)

    return await wait_until(look, ports, execution_id, seconds)


async def _run_checks(ports: Ports, execution_id: str, seconds: float) -> None:
    """Side by side; what takes longer is left to its own task."""
    begun = await _begin(ports, execution_id, CheckName, again=False) if seconds > 0 else None
    if begun is None:
        return
    looks = {name: asyncio.create_task(look(ports, begun.case, name)) for name in begun.names}
    try:
        _, late = await asyncio.wait(looks.values(), timeout=None if seconds == inf else seconds)
    finally:
        for each in looks.values():
            each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    results = [_open(name) if each in late else each.result() for name, each in looks.items()]
    await _keep(ports, execution_id, begun, results)


def _open(name: CheckName) -> CheckResult:
    return CheckResult(name, CheckStatus.PENDING)


@dataclass(frozen=True, slots=True)
class Validation:
    """An execution with what its checks have found, at the moment ``now``."""

    execution: Execution
    checks: Mapping[CheckName, CheckResult]
    now: datetime


async def read_validation(ports: Ports, execution_id: str) -> Validation:
    """As it is.

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
    patience: float = 0.0,
    read: Read = read_validation,
) -> CheckResult:
    """The check's result: what somebody has found, or else what is found now; ``again`` looks in any case.

    For ``patience`` seconds after the execution's start it is left to the first step, which runs all checks together.
    ``read`` is ``read_validation``, or the same for several at once.

    Does nothing once the execution has left VALIDATING.

    :raises NotFound: no such execution.
    """
    if again:
        turn = await _begin_again(ports, execution_id, name)
    else:
        turn = await _wait_for_turn(ports, execution_id, name, patience, read)
    if isinstance(turn, CheckResult):
        return turn
    result = await look(ports, turn.case, name)
    await _keep(ports, execution_id, turn, [result])
    return result


async def _begin_again(ports: Ports, execution_id: str, name: CheckName) -> CheckResult | _Begun:
    begun = await _begin(ports, execution_id, [name], again=True)
    return begun or _told((await read_validation(ports, execution_id)).checks[name])


async def _wait_for_turn(
    ports: Ports, execution_id: str, name: CheckName, patience: float, read: Read
) -> CheckResult | _Begun:
    """What somebody has found, or else what is ours to do, once nobody does it (any more)."""
    async with ports.signals.of(execution_id) as waiter:
        while not isinstance(found := _find(await read(ports, execution_id), name, patience), CheckResult):
            if found > 0:
                await waiter.wait(found)
            elif begun := await _begin(ports, execution_id, [name], again=False):
                return begun
    return found


def _find(validation: Validation, name: CheckName, patience: float) -> CheckResult | float:
    """The result, or the seconds for which the check is left to whoever runs it."""
    execution, found, now = validation.execution, validation.checks[name], validation.now
    if execution.status is not ExecutionStatus.VALIDATING or found.status not in OPEN:
        return _told(found)
    return max(_left_to_others(found, now), _left_to_first_step(execution, found, now, patience))


def _left_to_others(found: CheckResult, now: datetime) -> float:
    """For how many seconds the check is left to whoever runs it."""
    if found.status is not CheckStatus.RUNNING or found.started_at is None:
        return 0.0
    taken_for = (now - found.started_at).total_seconds()
    return TAKEN_SECONDS - taken_for if 0 <= taken_for < TAKEN_SECONDS else 0.0  # else the clock has jumped


def _left_to_first_step(execution: Execution, found: CheckResult, now: datetime, patience: float) -> float:
    """For how many seconds the check is left to the execution's first step, which nobody has begun."""
    if found.status is not CheckStatus.PENDING or execution.started_at is None:
        return 0.0
    waited = (now - execution.started_at).total_seconds()
    return max(0.0, patience - waited) if waited >= 0 else 0.0  # else the clock has jumped


def _is_free(found: CheckResult, now: datetime) -> bool:
    return found.status in OPEN and _left_to_others(found, now) == 0.0


def _told(found: CheckResult) -> CheckResult:
    if found.status not in OPEN:
        return found
    return CheckResult(found.name, CheckStatus.PENDING, "the execution is not VALIDATING any more")


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is looked at, and the checks that are ours to run."""

    case: Case
    names: list[CheckName]


async def _begin(ports: Ports, execution_id: str, names: Iterable[CheckName], again: bool) -> _Begun | None:
    """Say that they are being run; None when there is nothing to run (any more)."""
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
    return _Begun(case, wanted)


async def _case(work: UnitOfWork, execution: Execution, now: datetime) -> Case:
    request = execution.request
    deployment = await work.registry.deployment(execution.tenant_id, request.component_id)
    source = await work.registry.version(request.from_version_id)
    target = await work.registry.version(request.to_version_id)
    assert deployment is not None  # foreign keys keep the three
    assert source is not None
    assert target is not None
    return Case(
        label=f"execution {execution.id}",
        tenant_id=execution.tenant_id,
        request=request,
        deployment=deployment,
        source=source,
        target=target,
        path=await work.registry.path(request.from_version_id, request.to_version_id),
        instances=tuple(each.instance_id for each in await work.executions.instances(execution.id)),
        now=now,
    )


async def _keep(ports: Ports, execution_id: str, begun: _Begun, results: Sequence[CheckResult]) -> None:
    """Write the results; the check that ends last admits the execution or fails it, in the same transaction."""
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
            await work.executions.save(moved)
        await work.commit()


def _is_ours(begun: _Begun, row: CheckResult) -> bool:
    """Nobody has taken the check over, or ended it, meanwhile."""
    return row.status is CheckStatus.RUNNING and row.started_at == begun.case.now


def _is_outdated(begun: _Begun, row: CheckResult) -> bool:
    """Somebody has looked after us, and was faster."""
    return row.status not in OPEN and row.started_at is not None and row.started_at > begun.case.now
