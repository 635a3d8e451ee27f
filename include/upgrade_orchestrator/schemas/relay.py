"""The state of the relay, and the events that Kafka rejects."""

from __future__ import annotations

from pydantic import Field

from upgrade_orchestrator.schemas.base import SOME_ID, ResponseBody, Time
from upgrade_orchestrator.service.ports.outbox import ParkedEvent
from upgrade_orchestrator.service.views.health import RelayHealth


class NamedEvent(ResponseBody):
    """A parked event, with what may be shown without a token."""

    id: str = Field(examples=[SOME_ID])
    execution_id: str = Field(examples=[SOME_ID])
    sequence: int = Field(examples=[7])


class RelayResponse(ResponseBody):
    """``state`` running, waiting (for Kafka), off (no connection) or down; lag in events and seconds."""

    state: str = Field(examples=["running"])
    detail: str = Field(examples=[""])
    lag_rows: int
    lag_seconds: float
    parked: int
    parked_events: list[NamedEvent] = Field(examples=[[]])

    @classmethod
    def of(cls, health: RelayHealth) -> RelayResponse:
        """Without tenants and reasons, because the call needs no token."""
        return cls(
            state=health.state.value,
            detail=health.detail,
            lag_rows=health.lag.rows,
            lag_seconds=round(health.lag.seconds, 3),
            parked=health.lag.parked,
            parked_events=[NamedEvent.model_validate(each) for each in health.parked],
        )


class ParkedResponse(ResponseBody):
    """An event that Kafka rejects, with the reason; later events of its execution were published without it."""

    id: str = Field(examples=[SOME_ID])
    execution_id: str = Field(examples=[SOME_ID])
    tenant_id: str = Field(examples=["550e8400"])
    sequence: int = Field(examples=[7])
    type: str = Field(examples=["progress"])
    parked_at: Time
    reason: str = Field(examples=["message too large"])

    @classmethod
    def of(cls, parked: ParkedEvent) -> ParkedResponse:
        """The response body for the event."""
        return cls(
            id=parked.id,
            execution_id=parked.execution_id,
            tenant_id=parked.tenant_id,
            sequence=parked.sequence,
            type=parked.what,
            parked_at=parked.parked_at,
            reason=parked.reason,
        )
