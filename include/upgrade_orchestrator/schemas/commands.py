"""The query parameters of commands."""

from __future__ import annotations

from typing import Literal

from upgrade_orchestrator.schemas.base import Query, Reason


class ReasonQuery(Query):
    """The reason, for the audit."""

    reason: Reason | None = None


class PromoteQuery(ReasonQuery):
    """``force=true`` promotes unhealthy canaries as well."""

    force: Literal["true", "false"] = "false"
