"""What the look for attention costs the database: one statement at rest, one more however many executions there are."""

from dataclasses import replace

from tests.integration.store.counting import counted
from tests.labs.scripted import ScriptedRuns
from tests.store_contract.stores import Added
from upgrade_orchestrator.bootstrap import ports_for
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.service.control.attention import AttentionWatch
from upgrade_orchestrator.settings import Settings


async def test_look_sends_as_many_statements_for_many_executions_as_for_one(postgres_url: str, added: Added) -> None:
    watch, ports = AttentionWatch(), replace(ports_for(postgres_url, Settings()), runs=ScriptedRuns())
    async with counted(postgres_url) as at_rest:
        await watch.look(ports)
    for number in range(5):
        execution = await added(tenant_id=f"t-{number}")
        await added(tenant_id=f"r-{number}", status=ExecutionStatus.PAUSED, started_at=execution.created_at)
    async with counted(postgres_url) as running:
        await watch.look(ports)
    assert (len(at_rest), len(running)) == (1, 2), running
