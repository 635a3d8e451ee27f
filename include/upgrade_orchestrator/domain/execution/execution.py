"""An upgrade execution: request, state, and the only function that changes its status (sections 2, 3 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from upgrade_orchestrator.domain.errors import InvalidState
from upgrade_orchestrator.domain.execution.attention import Attention
from upgrade_orchestrator.domain.execution.canary import Canary
from upgrade_orchestrator.domain.execution.commands import Actor
from upgrade_orchestrator.domain.execution.events import Event, StatusChanged
from upgrade_orchestrator.domain.execution.states import TRANSITIONS, ExecutionStatus, is_terminal, sources_of
from upgrade_orchestrator.domain.instance.names import cut


class Strategy(StrEnum):
    """How the instances are brought to the target version (section 4)."""

    ROLLING = "ROLLING"
    "Batches in order."
    CANARY = "CANARY"
    "First the canaries, which are monitored; after their promotion the others as ROLLING."
    BLUE_GREEN = "BLUE_GREEN"
    "A second pool at the target version, to which the traffic is switched."
    RECREATE = "RECREATE"
    "All instances at once, with downtime."
    STAGED = "STAGED"
    "Stages in order; each but the first needs an approval."


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """The caller's request (section 2) with its defaults; ``total_instances`` None: the whole fleet."""

    component_id: str
    from_version_id: str
    to_version_id: str
    strategy: Strategy = Strategy.ROLLING
    canary_percentage: int = 10
    batch_size: int = 5
    batch_delay_seconds: int = 60
    health_check_interval_seconds: int = 30
    health_check_timeout_seconds: int = 300
    max_unavailable_percentage: int = 25
    total_instances: int | None = None
    auto_rollback_enabled: bool = False
    failure_threshold: int = 3
    initiated_by: str | None = None
    installed_components: Mapping[str, str] | None = None
    soak_seconds: int = 0
    stage_percentages: tuple[int, ...] | None = None
    undrain_foreign: bool = False


@dataclass(frozen=True, slots=True)
class RollbackInfo:
    """Why, when and by whom the rollback was started; the state of its instances is in their rows."""

    reason: str | None = None
    initiated_at: datetime | None = None
    initiated_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One upgrade execution; times are UTC, ``version`` is for optimistic locking."""

    id: str
    tenant_id: str
    request: UpgradeRequest
    total_instances: int
    from_version: str
    to_version: str
    plan_hash: str
    created_by: str
    created_at: datetime
    status: ExecutionStatus = ExecutionStatus.PENDING
    status_reason: str = "created"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    settled_at: datetime | None = None
    paused_at: datetime | None = None
    paused_from: ExecutionStatus | None = None
    paused_seconds: float = 0.0
    current_failures: int = 0
    accepted_failures: int = 0
    """How many of the failures a promotion has accepted: these do not count towards the threshold any more."""
    attention: Attention | None = None
    failure_phase: str | None = None
    warnings: tuple[str, ...] = ()
    rollback: RollbackInfo = field(default_factory=RollbackInfo)
    canary: Canary = field(default_factory=Canary)
    retry_of: str | None = None
    revert_of: str | None = None
    """The ended execution that this one takes back."""
    further_targets: tuple[str, ...] = ()
    """Versions beside ``to_version`` to which a revert brings instances that ran different ones before."""
    run_ref: str | None = None
    """The DAG run that carries it out, as last seen in Airflow; another id means that this run was deleted."""
    dag_paused: bool = False
    """Whether it is PAUSED because its DAG was paused in Airflow: unpausing the DAG then resumes it."""
    version_scheme: str = "auto"
    """How the component's versions are compared, found out when the execution was created."""
    begins_in_worker: bool = True
    """Whether the first step begins in a worker or in the triggerer; decided at the start and built into its DAG."""
    version: int = 1

    @property
    def is_terminal(self) -> bool:
        """True when no command and no task changes the execution any more."""
        return is_terminal(self.status)

    @property
    def dag_id(self) -> str:
        """The id of its DAG in Airflow."""
        return dag_id_of(self.id)


MOST_REASON = 4000
"How many characters a status reason has."
DAG_PREFIX = "upgrade__"
REQUEST_DAG = "upgrade_request"
"The DAG that a user triggers in Airflow to request an upgrade."


def dag_id_of(execution_id: str) -> str:
    """The id of the DAG that carries out the execution ``execution_id``."""
    return f"{DAG_PREFIX}{execution_id}"


def asset_of(tenant_id: str, component_id: str) -> str:
    """The name, and the URI, of the Airflow asset that a completed upgrade updates."""
    return f"upgrades/{tenant_id}/{component_id}"


def advance(
    execution: Execution, to: ExecutionStatus, reason: str, actor: Actor, now: datetime
) -> tuple[Execution, Event]:
    """The execution in status ``to`` since ``now``, and the event that reports the change.

    :raises InvalidState: section 3 has no such transition; ``allowedFrom`` names the statuses that have one.
    """
    if to not in TRANSITIONS[execution.status]:
        raise InvalidState(f"going to {to.value}", execution.status.value, [each.value for each in sources_of(to)])
    moved = replace(
        execution,
        status=to,
        status_reason=cut(reason, MOST_REASON),
        started_at=now if to is ExecutionStatus.VALIDATING else execution.started_at,
        completed_at=now if is_terminal(to) else None,
        attention=None if is_terminal(to) else execution.attention,
    )
    return _keep_pause(execution, moved, now), _status_changed(execution, moved, actor)


def _keep_pause(before: Execution, after: Execution, now: datetime) -> Execution:
    if after.status is ExecutionStatus.PAUSED:
        return replace(after, paused_at=now, paused_from=before.status)
    if before.paused_at is None:
        return after
    paused = max(0.0, (now - before.paused_at).total_seconds())
    total = before.paused_seconds + paused
    return replace(after, paused_at=None, paused_from=None, paused_seconds=total, dag_paused=False)


def _status_changed(before: Execution, after: Execution, actor: Actor) -> Event:
    return StatusChanged(
        from_=before.status,
        to=after.status,
        reason=after.status_reason,
        actor=actor.name,
        source=actor.source,
    )
