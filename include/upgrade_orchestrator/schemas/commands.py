"""What comes with a command."""

from __future__ import annotations

from typing import Literal

from upgrade_orchestrator.schemas.base import Query, Reason


class ReasonQuery(Query):
    """Why, for the audit."""

    reason: Reason | None = None


class PromoteQuery(ReasonQuery):
    """``force=true``: whatever the canaries say."""

    force: Literal["true", "false"] = "false"
