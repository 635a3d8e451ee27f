"""UpgradeRequest (section 2): the types, the ranges and what each field is for; the defaults are the domain's."""

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
"What the domain takes for a field that is left out; no other default is written down here."
WholeNumber = Annotated[int, Whole]
Percent = Annotated[int, Field(ge=1, le=100), Whole]


class CreateQuery(Query):
    """``dryRun=true``: only say what would be."""

    dry_run: Literal["true", "false"] = "false"


class UpgradeBody(Body):
    """The body of POST /tenants/{tenantId}/upgrades; the forms have its ranges and descriptions too."""

    component_id: Id = Field(description="The component to upgrade.", examples=["aaa-111"])
    from_version_id: Id = Field(description="The version that the deployment runs now.", examples=["bbb-222"])
    to_version_id: Id = Field(description="The version to bring it to.", examples=["ccc-333"])
    strategy: Strategy = Field(DEFAULT.strategy, description="How the instances are brought to the new version.")
    canary_percentage: Percent = Field(
        DEFAULT.canary_percentage, description="CANARY: how many instances go first, in percent."
    )
    batch_size: WholeNumber = Field(
        DEFAULT.batch_size, ge=1, le=1000, description="The most instances that are worked on at once."
    )
    batch_delay_seconds: WholeNumber = Field(
        DEFAULT.batch_delay_seconds, ge=0, le=86400, description="Seconds between the end of a batch and the next one."
    )
    health_check_interval_seconds: WholeNumber = Field(
        DEFAULT.health_check_interval_seconds,
        ge=1,
        le=3600,
        description="The longest gap between two looks at an instance, in seconds.",
    )
    health_check_timeout_seconds: WholeNumber = Field(
        DEFAULT.health_check_timeout_seconds,
        ge=1,
        le=86400,
        description="Seconds within which an upgraded instance has to be healthy.",
    )
    max_unavailable_percentage: Percent = Field(
        DEFAULT.max_unavailable_percentage, description="How many instances may be unavailable at once, in percent."
    )
    # may be left out, but not be null
    total_instances: Annotated[int, Field(ge=1, le=10000), Whole] | None = Field(
        DEFAULT.total_instances,
        description="How many instances to upgrade; left out: the whole fleet.",
        json_schema_extra=_without_null,
        examples=[20],
    )
    auto_rollback_enabled: bool = Field(
        DEFAULT.auto_rollback_enabled, description="Roll back when the failure threshold is reached."
    )
    failure_threshold: WholeNumber = Field(
        DEFAULT.failure_threshold, ge=1, le=10000, description="The failures at which the upgrade stops."
    )
    initiated_by: Label | None = Field(
        DEFAULT.initiated_by, description="A label; the authenticated user is recorded beside it.", examples=["ci"]
    )
    installed_components: Installed | None = Field(
        None,
        description='What is installed, by name, for the dependency check: {"postgresql": "16.1"}.',
        examples=[{"kafka": "3.6.0", "postgresql": "16.1"}],
    )
    soak_seconds: WholeNumber = Field(
        DEFAULT.soak_seconds, ge=0, le=86400, description="Seconds for which an upgraded instance has to stay healthy."
    )
    stage_percentages: Annotated[list[Percent], Field(min_length=1, max_length=100)] | None = Field(
        None, description="STAGED: how far each stage goes, rising to 100; left out: a stage is a batch."
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
            raise ValueError("goes with strategy STAGED only")
        if value[-1] != 100 or any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("must rise and end at 100, such as [10, 50, 100]")
        return value

    def to_domain(self) -> UpgradeRequest:
        """The request for the use cases."""
        stages = tuple(self.stage_percentages) if self.stage_percentages else None
        return UpgradeRequest(**(dict(self) | {"stage_percentages": stages}))
