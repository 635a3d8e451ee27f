"""What the page of one execution is made of, from the picture that was drawn of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from include.upgrades.domain.offers import offers
from include.upgrades.domain.permissions import Permission
from include.upgrades.service.picture import Picture
from include.upgrades.web.dependencies import Links
from include.upgrades.web.schemas.executions import ExecutionAnswer


def shown(
    picture: Picture, links: Links, caller: str, permissions: Collection[Permission], four_eyes: bool
) -> dict[str, Any]:
    """The values of the templates execution.html and execution_part.html; ``e`` is what the API answers."""
    execution = picture.execution
    return {
        "e": ExecutionAnswer.of(picture.view, links),
        "picture": picture,
        "offers": offers(execution, picture.view.awaits, permissions, caller, four_eyes),
        "caller": caller,
        "now": picture.view.overview.read_at,
    }
