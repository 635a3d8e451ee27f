"""Use case: retry (specification section 1): a new execution for the instances that an ended one did not complete."""

from __future__ import annotations

from dataclasses import replace

from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.retry import OTHERWISE, remainder_of
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.create import (
    Preview,
    plan_with_findings,
    read_context,
    require_no_blockers,
)
from upgrade_orchestrator.service.upgrade.insert import (
    CreateContext,
    ExecutionDraft,
    Origin,
    add,
    with_active_execution_id,
)
from upgrade_orchestrator.service.upgrade.revert import retry_revert


async def retry_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """The new execution in PENDING; it is stored together with the command's audit row and event of the old one.

    Raises also what ``create_upgrade`` raises.

    :raises NotFound: no such execution.
    :raises InvalidState: it is neither FAILED nor CANCELLED, or nothing is left to retry.
    :raises ActiveUpgradeExists: another execution is active, or this one is not settled yet.
    :raises UpgradeBlocked: there are blockers.
    """
    async with ports.work() as work:
        ended = await work.executions.get(execution_id)
    require_allowed(Command.RETRY, ended.status)
    if ended.revert_of is not None:
        return await retry_revert(ports, ended, reason, actor)
    context = await read_context(ports, ended.tenant_id, ended.request, refuse_active=True)
    draft = await _draft(ports, ended, context)
    async with with_active_execution_id(ports, ended.tenant_id, ended.request.component_id), ports.work() as work:
        ended = await work.executions.lock(execution_id)
        await work.events.append(ended, [await record_command(work, ended, Command.RETRY, actor, reason)])
        execution = await add(work, ports.new_id(), draft, actor)
        await work.commit()
    return execution


async def _draft(ports: Ports, ended: Execution, context: CreateContext) -> ExecutionDraft:
    """The rows are read once it is known that the ended execution is settled: from then on they do not change."""
    async with ports.work() as work:
        left = remainder_of(ended, await work.executions.instances(ended.id), context.fleet)
    if not left.instances:
        allowed = [each.value for each in ExecutionStatus if each in ALLOWED_FROM[Command.RETRY]]
        raise InvalidState.because("; ".join((*left.findings.blockers, OTHERWISE)), ended.status.value, allowed)
    request = replace(ended.request, total_instances=len(left.instances))
    preview = plan_with_findings(ports, context, request, left.instances)
    plan, warnings = require_no_blockers(Preview(preview.plan, left.findings + preview.findings))
    origin = Origin(f"created as a retry of {ended.id}", ended.id)
    return ExecutionDraft(context, request, plan, warnings, left.previous, origin)
