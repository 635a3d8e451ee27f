"""The ids in paths; an invalid id is a 404, because nothing can exist under it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import Field

from upgrade_orchestrator.schemas.base import ID_PATTERN, SOME_ID

TenantId = Annotated[str, Path(alias="tenantId", pattern=ID_PATTERN, examples=["550e8400"])]
ComponentId = Annotated[str, Path(alias="componentId", pattern=ID_PATTERN, examples=["aaa-111"])]
VersionId = Annotated[str, Path(alias="versionId", pattern=ID_PATTERN, examples=["ccc-333"])]
StageNumber = Annotated[int, Path(alias="n", ge=1, le=10_000, examples=[2])]
SomeInstanceId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""The id of an instance as a fleet names it: of any script, also with slashes."""
InstanceId = Annotated[SomeInstanceId, Path(alias="instanceId", examples=["kafka-1"])]
ExecutionId = Annotated[str, Path(alias="executionId", pattern=ID_PATTERN, examples=[SOME_ID])]
