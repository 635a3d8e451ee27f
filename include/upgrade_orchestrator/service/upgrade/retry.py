"""Use case: retry (specification section 1): a new execution for the instances that an ended one did not complete."""

from __future__ import annotations

from dataclasses import replace

from upgrade_orchestrator.domain.execution.commands import Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution
from upgrade_orchestrator.domain.lifecycle.retry import remainder_of
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.upgrade.create import (
    Preview,
    plan_with_findings,
    read_context,
    require_no_blockers,
)
from upgrade_orchestrator.service.upgrade.insert import CreateContext, ExecutionDraft, add, with_active_execution_id


async def retry_upgrade(ports: Ports, execution_id: str, reason: str | None, actor: Actor) -> Execution:
    """The new execution in PENDING; it is stored together with the command's audit row and event of the old one.

    Raises also what ``create_upgrade`` raises.

    :raises NotFound: no such execution.
    :raises InvalidState: it is neither FAILED nor CANCELLED.
    :raises ActiveUpgradeExists: another execution is active, or this one is not settled yet.
    :raises UpgradeBlocked: nothing is left to retry, or there are blockers.
    """
    async with ports.work() as work:
        ended = await work.executions.get(execution_id)
    require_allowed(Command.RETRY, ended.status)
    context = await read_context(ports, ended.tenant_id, ended.request, refuse_active=True)
    draft = await _draft(ports, ended, context)
    async with with_active_execution_id(ports, ended.tenant_id, ended.request.component_id), ports.work() as work:
        ended = await work.executions.lock(execution_id)
        await work.events.append(ended, [await record_command(work, ended, Command.RETRY, actor, reason)])
        execution = await add(work, ports.new_id(), draft, actor, retry_of=ended.id)
        await work.commit()
    return execution


async def _draft(ports: Ports, ended: Execution, context: CreateContext) -> ExecutionDraft:
    """The rows are read once it is known that the ended execution is settled: from then on they do not change."""
    async with ports.work() as work:
        left = remainder_of(ended, await work.executions.instances(ended.id), context.fleet)
    request = replace(ended.request, total_instances=len(left.instances))
    preview = plan_with_findings(ports, context, request, left.instances)
    plan, warnings = require_no_blockers(Preview(preview.plan, left.findings + preview.findings))
    return ExecutionDraft(context, request, plan, warnings, left.previous)
