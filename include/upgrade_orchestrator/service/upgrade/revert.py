"""Use case: revert (specification section 1): a new execution that takes an ended upgrade back.

It is an execution like any other: with its own plan, checks, events and commands. Only where its instances go is
decided by what the ended upgrade has recorded of each (docs/adr/0043).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from upgrade_orchestrator.domain.errors import ActiveUpgradeExists, InvalidState
from upgrade_orchestrator.domain.execution.commands import ALLOWED_FROM, Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.execution import Execution, Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import Instance
from upgrade_orchestrator.domain.lifecycle.revert import Record, Refusal, refusal_of, revert_request, way_back
from upgrade_orchestrator.domain.registry.schemes import same_version
from upgrade_orchestrator.service.audit import record_command
from upgrade_orchestrator.service.ports.unit_of_work import Ports, UnitOfWork
from upgrade_orchestrator.service.runner.spelling import Spelling
from upgrade_orchestrator.service.upgrade.create import plan_with_findings, read_context, require_no_blockers
from upgrade_orchestrator.service.upgrade.insert import (
    CreateContext,
    ExecutionDraft,
    Origin,
    add,
    with_active_execution_id,
)
from upgrade_orchestrator.service.upgrade.start import start_in

MOST_VERSIONS = 10_000
"How many versions of the registry are compared with those that instances ran before."
MOST_SPELLED = 100
"If instances ran more versions than these, each goes back to its text as recorded: comparing all would take seconds."


@dataclass(frozen=True, slots=True)
class RevertOrder:
    """What the caller says; ``installed_components`` None: as the ended upgrade's request; ``start``: begin at once."""

    reason: str | None = None
    installed_components: Mapping[str, str] | None = None
    start: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """The upgrade to take back, the ended execution that the caller named, and what is asked of it.

    They differ for a retry of a revert: it takes back what that revert was to take back.
    """

    upgrade: Execution
    named: Execution
    command: Command
    order: RevertOrder


async def revert_upgrade(ports: Ports, execution_id: str, order: RevertOrder, actor: Actor) -> Execution:
    """The new execution, PENDING or with ``order.start`` VALIDATING; stored with the command in one transaction.

    Raises also what ``create_upgrade`` raises.

    :raises NotFound: no such execution.
    :raises InvalidState: it is not COMPLETED, FAILED or CANCELLED, is a revert itself, is not the newest upgrade of the
        deployment, or there is nothing to revert.
    :raises ActiveUpgradeExists: another execution is active, or this one is not settled yet.
    :raises UpgradeBlocked: there are blockers; path and target never are.
    """
    async with ports.work() as work:
        ended = await work.executions.get(execution_id)
        require_allowed(Command.REVERT, ended.status)
    return await _carry_out(ports, _Case(ended, ended, Command.REVERT, order), actor)


async def retry_revert(ports: Ports, ended: Execution, reason: str | None, actor: Actor) -> Execution:
    """Take back once more what the ended revert was to take back, as the fleet is now; raises as ``revert_upgrade``."""
    assert ended.revert_of is not None
    async with ports.work() as work:
        upgrade = await work.executions.get(ended.revert_of)
    order = RevertOrder(reason, ended.request.installed_components)
    return await _carry_out(ports, _Case(upgrade, ended, Command.RETRY, order), actor)


async def _carry_out(ports: Ports, case: _Case, actor: Actor) -> Execution:
    tenant_id, component_id = case.upgrade.tenant_id, case.upgrade.request.component_id
    async with ports.work() as work:
        if active := await work.executions.active(tenant_id, component_id):
            raise ActiveUpgradeExists(active.id)
        await _require_newest(work, case)
    request = revert_request(case.upgrade.request, case.upgrade.total_instances, case.order.installed_components)
    context = await read_context(ports, tenant_id, request, refuse_active=True, reverts=True)
    draft = await _draft(ports, case, context)
    async with with_active_execution_id(ports, tenant_id, component_id), ports.work() as work:
        named = await work.executions.lock(case.named.id)
        await work.events.append(named, [await record_command(work, named, case.command, actor, case.order.reason)])
        execution = await add(work, ports.new_id(), draft, actor)
        await _require_newest(work, case)  # the active slot is ours, so nothing can change the fleet from here on
        if case.order.start:
            why = f"started; {execution.status_reason}"
            execution = await start_in(work, execution, ports.options.worker_places, actor, why)
        await work.commit()
    if case.order.start:
        await ports.parse_requests.ask(execution.id)
    return execution


async def _require_newest(work: UnitOfWork, case: _Case) -> None:
    if refusal := refusal_of(case.upgrade, await work.executions.newer(case.upgrade)):
        raise _refused(case, refusal)


def _refused(case: _Case, refusal: Refusal) -> InvalidState:
    status, allowed = case.named.status.value, [each.value for each in _ordered(case.command)]
    extra = {} if refusal.newer is None else {"newestExecutionId": refusal.newer}
    return InvalidState.because(refusal.why, status, allowed, **extra)


def _ordered(command: Command) -> list[ExecutionStatus]:
    return [each for each in ExecutionStatus if each in ALLOWED_FROM[command]]


async def _draft(ports: Ports, case: _Case, context: CreateContext) -> ExecutionDraft:
    """The rows are read once it is known that nothing is active: from then on they do not change."""
    order, upgrade = case.order, case.upgrade
    async with ports.work() as work:
        record = await _record(work, case)
        spelling = await _spelling(work, context, record)
    context = replace(context, fleet=spelling.fleet(context.fleet))
    back = way_back(upgrade.request.strategy, context.target.version, record.spelled(spelling.of), context.fleet)
    if isinstance(back, Refusal):
        raise _refused(case, back)
    request = revert_request(upgrade.request, len(back.instances), order.installed_components)
    preview = plan_with_findings(ports, context, request, back.instances, upgrade.total_instances)
    plan, warnings = require_no_blockers(preview)
    now = {each.instance_id: each.version for each in context.fleet.instances}
    return ExecutionDraft(context, request, plan, (*back.warnings, *warnings), now, _origin(case), back.targets)


async def _spelling(work: UnitOfWork, context: CreateContext, record: Record) -> Spelling:
    """The spelling that knows every recorded version: by the registry's text if it has one, else as recorded."""
    scheme, between = context.scheme, (context.source.version, context.target.version)
    further = record.versions - {*between}
    if not further or len(further) > MOST_SPELLED:
        return Spelling(scheme, *between, tuple(sorted(further)))
    known = [each.version for each in await work.registry.versions(context.target.component_id, "", MOST_VERSIONS)]
    unknown = further - {*known}
    meant = [each for each in known if any(same_version(scheme, each, other) for other in unknown)]
    in_use = [each for each in known if each in further]
    return Spelling(scheme, *between).with_further([*in_use, *meant, *sorted(unknown)])


def _origin(case: _Case) -> Origin:
    if case.command is Command.RETRY:
        return Origin(f"created as a retry of {case.named.id}", case.named.id, case.upgrade.id)
    why = f": {case.order.reason}" if case.order.reason else ""
    return Origin(f"created to revert {case.upgrade.id}{why}", None, case.upgrade.id)


async def _record(work: UnitOfWork, case: _Case) -> Record:
    histories = await _histories(work, case.upgrade)
    if case.upgrade.request.strategy is Strategy.BLUE_GREEN:  # a retry began with the pool that the first one had made
        histories = histories[-1:]
    record = Record.of(histories)
    if case.named is case.upgrade:
        return record
    return record.and_touched(await work.executions.instances(case.named.id))


async def _histories(work: UnitOfWork, upgrade: Execution) -> list[list[Instance]]:
    """The rows of the upgrade and of those that it retries, newest first, as far as nothing came in between."""
    found = [await work.executions.instances(upgrade.id)]
    while upgrade.retry_of is not None:
        before = await work.executions.get(upgrade.retry_of)
        if await work.executions.newer(before, before=upgrade) is not None:
            break
        found.append(await work.executions.instances(before.id))
        upgrade = before
    return found
