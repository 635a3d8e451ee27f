"""UpgradeRequest (contract section 2): the types, the defaults and the ranges."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from upgrade_orchestrator.domain.execution.execution import Strategy, UpgradeRequest
from upgrade_orchestrator.schemas.base import Body, Id, Installed, Label, Query, Whole


def _without_null(schema: dict[str, Any]) -> None:
    del schema["default"]
    schema.update(schema.pop("anyOf")[0])


Percent = Annotated[int, Field(ge=1, le=100), Whole]


class CreateQuery(Query):
    """``dryRun=true``: only say what would be."""

    dry_run: Literal["true", "false"] = "false"


class UpgradeBody(Body):
    """The body of POST /tenants/{tenantId}/upgrades."""

    component_id: Id
    from_version_id: Id
    to_version_id: Id
    strategy: Strategy = Strategy.ROLLING
    canary_percentage: Percent = 10
    batch_size: Annotated[int, Field(ge=1, le=1000), Whole] = 5
    batch_delay_seconds: Annotated[int, Field(ge=0, le=86400), Whole] = 60
    health_check_interval_seconds: Annotated[int, Field(ge=1, le=3600), Whole] = 30
    health_check_timeout_seconds: Annotated[int, Field(ge=1, le=86400), Whole] = 300
    max_unavailable_percentage: Percent = 25
    # may be left out (then it is the fleet's size), but not be null
    total_instances: Annotated[
        Annotated[int, Field(ge=1, le=10000), Whole] | None, Field(json_schema_extra=_without_null)
    ] = None
    auto_rollback_enabled: bool = False
    failure_threshold: Annotated[int, Field(ge=1, le=10000), Whole] = 3
    initiated_by: Label | None = None
    installed_components: Installed | None = None
    soak_seconds: Annotated[int, Field(ge=0, le=86400), Whole] = 0
    stage_percentages: Annotated[list[Percent], Field(min_length=1, max_length=100)] | None = None

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
