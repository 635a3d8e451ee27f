"""What a caller adds to a command: query parameters, and the body of a decision on a stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from upgrade_orchestrator.schemas.base import Body, Query, Reason


class ReasonQuery(Query):
    """The reason, for the audit."""

    reason: Reason | None = None


class PromoteQuery(ReasonQuery):
    """``force=true`` promotes unhealthy canaries as well."""

    force: Literal["true", "false"] = "false"


class DecisionBody(Body):
    """The reason, which is stored with the decision."""

    reason: Reason | None = Field(None, examples=["the canaries look well"])
