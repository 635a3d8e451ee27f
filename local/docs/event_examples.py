"""An example of each event for docs/events.md, mostly of one canary upgrade."""

from datetime import UTC, datetime

from upgrade_orchestrator.domain.checks.checks import CheckName, CheckStatus
from upgrade_orchestrator.domain.events import listing_payloads, payloads
from upgrade_orchestrator.domain.events.factory import data_of
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.commands import Command, Decision, Source
from upgrade_orchestrator.domain.execution.events import Event, EventType, Settled, StatusChanged
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.instance.note import Note, NoteKind
from upgrade_orchestrator.service.ports.stores.events import StoredEvent

_EXECUTION = "0198c6a2-7f4e-7c3b-9a51-3b7f0f6f1d2e"
_EVENT = "0198c6a2-93d0-7a16-8e0c-5d2f4b1c9a77"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SINCE = datetime(2026, 1, 31, 12, 0, 1, 250000, UTC)
_TIME = datetime(2026, 1, 31, 12, 0, 5, 310000, UTC)

_EXAMPLES: tuple[Event, ...] = (
    payloads.Created(
        tenant_id="550e8400",
        component_id="aaa-111",
        from_version="3.6.0",
        to_version="3.7.0",
        strategy=Strategy.CANARY,
        total_instances=20,
        batches=5,
        plan_hash=_HASH,
        created_by="olga",
        initiated_by="ci",
        retry_of=None,
        revert_of=None,
    ),
    StatusChanged(
        from_=ExecutionStatus.PENDING,
        to=ExecutionStatus.VALIDATING,
        reason="started",
        actor="olga",
        source=Source.API,
    ),
    payloads.CheckCompleted(
        name=CheckName.VERSION_COMPATIBILITY,
        status=CheckStatus.PASSED,
        message="the path from 3.6.0 to 3.7.0 is registered and open",
    ),
    listing_payloads.BatchStarted(batch=1, kind="CANARY", instances=["kafka-1", "kafka-2"], completed=0, failed=0),
    listing_payloads.BatchCompleted(batch=1, kind="CANARY", instances=["kafka-1", "kafka-2"], completed=2, failed=0),
    payloads.InstanceChanged(
        instance_id="kafka-1",
        batch=1,
        from_=InstanceStatus.DRAINING,
        to=InstanceStatus.UPGRADING,
        from_version="3.6.0",
        to_version="3.7.0",
        attempts=1,
        revert=None,
        gone=False,
        error=None,
        notes=(Note(NoteKind.ORDER, "drain", "202", 12, 8, 1, 4.2),),
    ),
    payloads.Progress(
        percentage=10,
        total=20,
        pending=15,
        in_flight=3,
        completed=2,
        failed=0,
        rolled_back=0,
        attention=Attention("FLEET_UNREACHABLE", _SINCE, "the agent does not answer", 2),
    ),
    listing_payloads.CanaryPolled(
        healthy=False, unhealthy={"kafka-2": "no answer from its port"}, not_asked=[], polls=4, current_failures=1
    ),
    payloads.ApprovalRequested(stage=2, plan_hash=_HASH),
    payloads.ApprovalDecided(
        stage=2,
        decision=Decision.APPROVED,
        decided_by="anna",
        source=Source.UI,
        reason="the first stage looks well",
        plan_hash=_HASH,
    ),
    Settled(
        status=ExecutionStatus.CANCELLED,
        reason="cancelled by olga; 16 on 3.6.0, 2 on 3.7.0, 2 in flight; in the end 16 on 3.6.0, 4 on 3.7.0",
        versions={"3.6.0": 16, "3.7.0": 4},
        fleet_seen=True,
        settled_by="system",
    ),
    payloads.CommandReceived(command=Command.PAUSE, actor="olga", source=Source.API, reason="checking the logs first"),
    payloads.RollbackStarted(reason="3 of 3 failures: kafka-2: no answer from its port", initiated_by="system"),
    listing_payloads.RollbackCompleted(
        status=ExecutionStatus.ROLLED_BACK,
        reason="all touched instances are back; 20 on 3.6.0",
        rolled_back_instances=["kafka-2", "kafka-1"],
    ),
)

EXAMPLES: dict[EventType, StoredEvent] = {
    each.what: StoredEvent(_EVENT, _EXECUTION, "550e8400", sequence, _TIME, each.what, data_of(each))
    for sequence, each in enumerate(_EXAMPLES, start=1)
}
