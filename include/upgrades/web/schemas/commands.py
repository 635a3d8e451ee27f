"""What comes with a command."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from include.upgrades.web.schemas.base import Query


class ReasonQuery(Query):
    """Why, for the audit."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None


class PromoteQuery(ReasonQuery):
    """``force=true``: whatever the canaries say."""

    force: Literal["true", "false"] = "false"
