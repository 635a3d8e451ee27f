"""The ids in the paths: what cannot be an id cannot exist, so it is 404."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from upgrade_orchestrator.schemas.base import ID_PATTERN

TenantId = Annotated[str, Path(alias="tenantId", pattern=ID_PATTERN)]
ComponentId = Annotated[str, Path(alias="componentId", pattern=ID_PATTERN)]
VersionId = Annotated[str, Path(alias="versionId", pattern=ID_PATTERN)]
StageNumber = Annotated[int, Path(alias="n", ge=1, le=10_000)]
ExecutionId = Annotated[str, Path(alias="executionId", pattern=ID_PATTERN)]
