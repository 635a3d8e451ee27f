"""The body of a decision on a stage."""

from __future__ import annotations

from pydantic import Field

from upgrade_orchestrator.schemas.base import Body, Reason


class DecisionBody(Body):
    """The reason, which is stored with the decision."""

    reason: Reason | None = Field(None, examples=["the canaries look well"])
