"""The upgrade request (specification section 2): types, ranges and descriptions; defaults come from the domain."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.schemas.base import Body, Id, Installed, Label, Query, Whole


def _without_null(schema: dict[str, Any]) -> None:
    del schema["default"]
    schema.update(schema.pop("anyOf")[0])


DEFAULT = UpgradeRequest(component_id="", from_version_id="", to_version_id="")
"Has the domain's defaults, so that they are not repeated here."
WholeNumber = Annotated[int, Whole]
Percent = Annotated[int, Field(ge=1, le=100), Whole]


class CreateQuery(Query):
    """``dryRun=true`` only previews the upgrade."""

    dry_run: Literal["true", "false"] = "false"


class UpgradeBody(Body):
    """The body of POST /tenants/{tenantId}/upgrades; the forms use its ranges and descriptions."""

    component_id: Id = Field(description="The component to upgrade.", examples=["aaa-111"])
    from_version_id: Id = Field(description="The version that the deployment runs now.", examples=["bbb-222"])
    to_version_id: Id = Field(description="The version to upgrade to.", examples=["ccc-333"])
    strategy: Strategy = Field(DEFAULT.strategy, description="How the instances are upgraded.")
    canary_percentage: Percent = Field(
        DEFAULT.canary_percentage, description="CANARY: how many instances are upgraded first, in percent."
    )
    batch_size: WholeNumber = Field(
        DEFAULT.batch_size, ge=1, le=1000, description="Maximum number of instances that are worked on at once."
    )
    batch_delay_seconds: WholeNumber = Field(
        DEFAULT.batch_delay_seconds,
        ge=0,
        le=86400,
        description="Seconds between the end of a batch and the start of the next.",
    )
    health_check_interval_seconds: WholeNumber = Field(
        DEFAULT.health_check_interval_seconds,
        ge=1,
        le=3600,
        description="Maximum time between two health checks of an instance, in seconds.",
    )
    health_check_timeout_seconds: WholeNumber = Field(
        DEFAULT.health_check_timeout_seconds,
        ge=1,
        le=86400,
        description="Seconds within which an upgraded instance must be healthy.",
    )
    max_unavailable_percentage: Percent = Field(
        DEFAULT.max_unavailable_percentage, description="How many instances may be unavailable at once, in percent."
    )
    # optional, but not nullable
    total_instances: Annotated[int, Field(ge=1, le=10000), Whole] | None = Field(
        DEFAULT.total_instances,
        description="How many instances to upgrade; by default the whole fleet.",
        json_schema_extra=_without_null,
        examples=[20],
    )
    auto_rollback_enabled: bool = Field(
        DEFAULT.auto_rollback_enabled, description="Roll back automatically when the failure threshold is reached."
    )
    failure_threshold: WholeNumber = Field(
        DEFAULT.failure_threshold, ge=1, le=10000, description="Number of failures at which the upgrade stops."
    )
    initiated_by: Label | None = Field(
        DEFAULT.initiated_by, description="A label; the authenticated user is recorded as well.", examples=["ci"]
    )
    installed_components: Installed | None = Field(
        None,
        description='Installed components and versions, for the dependency check: {"postgresql": "16.1"}.',
        examples=[{"kafka": "3.6.0", "postgresql": "16.1"}],
    )
    soak_seconds: WholeNumber = Field(
        DEFAULT.soak_seconds, ge=0, le=86400, description="Seconds for which an upgraded instance must stay healthy."
    )
    stage_percentages: Annotated[list[Percent], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="STAGED: cumulative percentage of each stage, rising to 100; by default each batch is a stage.",
    )
    undrain_foreign: bool = Field(
        DEFAULT.undrain_foreign,
        description="Put instances into service that others had drained before the upgrade, once they are upgraded.",
    )

    @field_validator("to_version_id")
    @classmethod
    def _differs(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("from_version_id"):
            raise ValueError("must differ from fromVersionId")
        return value

    @field_validator("total_instances")
    @classmethod
    def _is_not_null(cls, value: int | None) -> int:
        if value is None:
            raise ValueError("should be a valid integer")
        return value

    @field_validator("stage_percentages")
    @classmethod
    def _rises(cls, value: list[int] | None, info: ValidationInfo) -> list[int] | None:
        if value is None:
            return value
        if info.data.get("strategy", Strategy.STAGED) is not Strategy.STAGED:
            raise ValueError("is allowed only with strategy STAGED")
        if value[-1] != 100 or any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("must rise and end at 100, such as [10, 50, 100]")
        return value

    def to_domain(self) -> UpgradeRequest:
        """The request as a value of the domain."""
        stages = tuple(self.stage_percentages) if self.stage_percentages else None
        return UpgradeRequest(**(dict(self) | {"stage_percentages": stages}))
