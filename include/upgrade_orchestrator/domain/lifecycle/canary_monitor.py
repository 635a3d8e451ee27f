"""The canary monitor: the effect of a poll, and the conditions of a promotion (specification sections 3 and 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from upgrade_orchestrator.domain.errors import CanaryUnhealthy
from upgrade_orchestrator.domain.events.listing_payloads import CanaryPolled
from upgrade_orchestrator.domain.execution.canary import Poll
from upgrade_orchestrator.domain.execution.commands import SYSTEM, Actor, Command, require_allowed
from upgrade_orchestrator.domain.execution.events import Event
from upgrade_orchestrator.domain.execution.execution import Execution, advance
from upgrade_orchestrator.domain.execution.states import ExecutionStatus
from upgrade_orchestrator.domain.lifecycle.failures import reason_of, threshold_reached
from upgrade_orchestrator.domain.lifecycle.rollback_start import begin_rollback

Moved = tuple[Execution, list[Event]]


def begin_monitoring(execution: Execution, now: datetime) -> Moved:
    """Begin to monitor the deployed canaries; an execution in any other status stays as it is."""
    if execution.status is not ExecutionStatus.CANARY_RUNNING:
        return execution, []
    moved, event = advance(execution, ExecutionStatus.CANARY_MONITORING, "the canaries are deployed", SYSTEM, now)
    return moved, [event]


def next_poll_at(execution: Execution, now: datetime) -> datetime:
    """When the canaries are polled next: at once, then every ``healthCheckIntervalSeconds``."""
    last = execution.canary.last_poll_at
    if last is None or last > now:  # a clock that was set back must not stop the monitor
        return now
    return last + timedelta(seconds=execution.request.health_check_interval_seconds)


def record_poll(execution: Execution, poll: Poll, now: datetime) -> Moved:
    """Record the poll. An unhealthy one counts as a failure; at the threshold the rollback begins, if it is automatic.

    Without automatic rollback the execution stays in CANARY_MONITORING until an operator decides.
    """
    verdict = poll.healthy
    canary = replace(
        execution.canary,
        healthy=execution.canary.healthy if verdict is None else verdict,
        polls=execution.canary.polls + (verdict is not None),
        last_poll_at=now,
    )
    failures = execution.current_failures + (verdict is False)
    polled = replace(execution, canary=canary, current_failures=failures)
    events = [_polled(polled, poll)]
    if not (threshold_reached(polled) and polled.request.auto_rollback_enabled):
        return polled, events
    why = f"{reason_of(polled)}; canaries: {poll.describe() or 'healthy at the last poll'}"
    moved, more = begin_rollback(polled, why, SYSTEM, now)
    return moved, [*events, *more]


def _polled(execution: Execution, poll: Poll) -> Event:
    return CanaryPolled(
        healthy=poll.healthy,
        unhealthy=poll.unhealthy,
        not_asked=poll.unreachable,
        polls=execution.canary.polls,
        current_failures=execution.current_failures,
    )


def require_healthy(poll: Poll) -> None:
    """:raises CanaryUnhealthy: a canary is unhealthy or did not respond."""
    if poll.healthy is not True:
        raise CanaryUnhealthy(poll.describe())


def promote(execution: Execution, poll: Poll | None, reason: str | None, actor: Actor, now: datetime) -> Moved:
    """The execution in IN_PROGRESS; ``poll`` None: promoted with ``force``, without a check of the canaries' health.

    The failures so far are accepted: only later ones count towards the threshold.

    :raises InvalidState: the execution is not in CANARY_MONITORING.
    :raises CanaryUnhealthy: a canary is unhealthy or did not respond.
    """
    require_allowed(Command.PROMOTE, execution.status)
    if poll is not None:
        require_healthy(poll)
    how = f"promoted by {actor.name}" if poll is not None else f"promoted by {actor.name} with force"
    moved, event = advance(execution, ExecutionStatus.IN_PROGRESS, reason or how, actor, now)
    canary = replace(moved.canary, promoted_by=actor.name, promoted_at=now)
    return replace(moved, canary=canary, accepted_failures=moved.current_failures), [event]
