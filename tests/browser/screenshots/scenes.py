"""The pages of which pictures are made, each with the values of its template."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.browser.screenshots.components import COMPONENTS
from tests.browser.screenshots.details import detail_of
from tests.browser.screenshots.histories import history
from tests.browser.screenshots.lists import LISTS
from tests.browser.screenshots.more_stories import FOLLOWERS, MORE
from tests.browser.screenshots.stories import STORIES
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.operations.permissions import Permission
from upgrade_orchestrator.schemas.executions import Links
from upgrade_orchestrator.web.view.board import BoardQuery
from upgrade_orchestrator.web.view.execution.template_context import template_context

EVERY = {**STORIES, **MORE}


@dataclass(frozen=True)
class Scene:
    """A page to be pictured: where it is, its template, and what makes the template's values."""

    path: str
    template: str
    values: Callable[[], Mapping[str, Any]]
    opens: str = ""
    """The instance whose tile is open."""


def _board() -> Mapping[str, Any]:
    views = [detail_of(replace(story, id=f"e-{name}")).view for name, story in STORIES.items()]
    counts = Counter(each.execution.status.value for each in views)
    return {
        "rows": views,
        "counts": [
            ("ACTIVE", 8, ""),
            ("AWAITING_APPROVAL", 1, ""),
            *((each, n, "") for each, n in counts.items()),
        ],
        "asked": BoardQuery(),
        "limited": False,
        "older": None,
        "caller": "ada",
        "strategies": list(Strategy),
        "creates": True,
    }


def _values_of(name: str) -> Mapping[str, Any]:
    detail = replace(detail_of(EVERY[name]), followers=FOLLOWERS.get(name, ()))
    return template_context(detail, Links("/r", ""), "ada", frozenset(Permission), True)


def _execution(name: str, opens: str = "") -> Scene:
    return Scene(f"upgrades/{EVERY[name].id}", "execution.html", lambda: _values_of(name), opens)


HISTORY = Scene("upgrades/e-1/history", "instance_history_page.html", history)
"What an opened tile fetches too."
SCENES: dict[str, Scene] = {
    "list": Scene("upgrades", "board.html", _board),
    **{f"execution-{name}": _execution(name) for name in EVERY},
    "execution-history": _execution("failed-details", opens="kafka-08"),
    "execution-stuck-opened": _execution("stuck", opens="kafka-09"),
    "history": HISTORY,
    **{name: Scene(*each) for name, each in {**LISTS, **COMPONENTS}.items()},
}
"Every picture by its name."
