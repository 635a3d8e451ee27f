"""Use case: run one of the five pre-upgrade checks of an execution and keep what it found (contract section 7)."""

from __future__ import annotations

from dataclasses import replace

from include.upgrades.domain import telling
from include.upgrades.domain.admission import admit
from include.upgrades.domain.checks import CheckName, CheckResult, CheckStatus
from include.upgrades.domain.states import ExecutionStatus
from include.upgrades.service.check_looks import Case, look
from include.upgrades.service.ports import Ports


async def run_check(ports: Ports, execution_id: str, name: CheckName) -> CheckResult:
    """Look, keep the result with its event, return it; does nothing once the execution has left VALIDATING.

    :raises NotFound: no such execution.
    """
    case = await _begin(ports, execution_id, name)
    if case is None:
        return CheckResult(name, CheckStatus.PENDING, "the execution is not VALIDATING any more")
    result = await look(ports, case, name)
    await _keep(ports, execution_id, replace(result, started_at=case.now))
    return result


async def _begin(ports: Ports, execution_id: str, name: CheckName) -> Case | None:
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)  # admission must not decide in between
        if execution.status is not ExecutionStatus.VALIDATING:
            return None
        request, now = execution.request, await work.now()
        await work.executions.save_check(execution_id, CheckResult(name, CheckStatus.RUNNING, started_at=now))
        deployment = await work.registry.deployment(execution.tenant_id, request.component_id)
        source = await work.registry.version(request.from_version_id)
        target = await work.registry.version(request.to_version_id)
        path = await work.registry.path(request.from_version_id, request.to_version_id)
        planned = tuple(each.instance_id for each in await work.executions.instances(execution_id))
        await work.commit()
    assert deployment is not None  # foreign keys keep the three
    assert source is not None
    assert target is not None
    return Case(
        label=f"execution {execution_id}",
        tenant_id=execution.tenant_id,
        request=request,
        deployment=deployment,
        source=source,
        target=target,
        path=path,
        instances=planned,
        now=now,
    )


async def _keep(ports: Ports, execution_id: str, result: CheckResult) -> None:
    """Write the result; the check that ends last admits the execution or fails it, in the same transaction."""
    async with ports.work() as work:
        execution = await work.executions.lock(execution_id)
        if execution.status is not ExecutionStatus.VALIDATING:
            return
        done = replace(result, completed_at=await work.now())
        await work.executions.save_check(execution_id, done)
        moved, events = admit(execution, await work.executions.checks(execution_id), await work.now())
        await work.events.append(execution, [telling.check_completed(done), *events])
        if events:
            await work.executions.save(moved)
        await work.commit()
