"""What a caller adds to a command: query parameters, or a body for those that are weighed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from upgrade_orchestrator.schemas.base import Body, Installed, Query, Reason, ResponseBody, Whole
from upgrade_orchestrator.schemas.registry import ConnId, FleetName


class ReasonQuery(Query):
    """The reason, for the audit."""

    reason: Reason | None = None


class PromoteQuery(ReasonQuery):
    """``force=true`` promotes unhealthy canaries as well."""

    force: Literal["true", "false"] = "false"


class DecisionBody(Body):
    """The reason, which is stored with the decision."""

    reason: Reason | None = Field(None, examples=["the canaries look well"])


class RevertQuery(Query):
    """``start=true`` starts the new execution at once."""

    start: Literal["true", "false"] = "false"


class RevertBody(Body):
    """The reason, which is stored with the command and shown in the status reason of the new execution."""

    reason: Reason | None = Field(None, examples=["3.7.0 loses messages"])
    installed_components: Installed | None = Field(
        None,
        description="Installed components and versions now, for the dependency check of the version gone back to; by"
        " default those of the upgrade's request.",
        examples=[{"kafka": "3.7.0", "postgresql": "16.1"}],
    )


class ReleaseBody(Body):
    """The reason, which is stored with the command and shown in the status reason."""

    reason: Reason | None = Field(None, examples=["the agent's host was scrapped"])


HIGHEST_TOKEN = 2**62
"Above it a token that grows with every take-over could leave 64 bits one day."


class FencingBody(Body):
    """A fleet, and the fencing token that ours must not be below: the one that its refusal named."""

    conn_id: ConnId = Field(examples=["demo_fleet"])
    fleet: FleetName = Field(examples=["demo"])
    at_least: Annotated[int, Field(ge=1, le=HIGHEST_TOKEN), Whole] = Field(examples=[42])


class FencingResponse(ResponseBody):
    """Our fencing token for the fleet as it is now; the next runner's is higher."""

    conn_id: str = Field(examples=["demo_fleet"])
    fleet: str = Field(examples=["demo"])
    token: int = Field(examples=[42])
