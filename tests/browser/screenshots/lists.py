"""The list in its states, statistics, the form, the API reference, and the pages that refuse or explain."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from fastapi import Request

from tests.browser.screenshots.details import ago, detail_of
from tests.browser.screenshots.more_stories import ATTENTIONS
from tests.browser.screenshots.stories import STORIES
from upgrade_orchestrator.domain.errors import Forbidden, NotFound, Unauthenticated, Unavailable, ValidationFailed
from upgrade_orchestrator.domain.execution.execution import Strategy
from upgrade_orchestrator.domain.execution.states import TERMINAL, ExecutionStatus
from upgrade_orchestrator.domain.instance.instance import InstanceStatus
from upgrade_orchestrator.domain.operations.statistics import Figures, History, Week
from upgrade_orchestrator.domain.registry.entries import Component, ComponentVersion, Deployment
from upgrade_orchestrator.service.ports.stores.board import Counts
from upgrade_orchestrator.service.ports.stores.catalogue import ComponentSummary
from upgrade_orchestrator.service.ports.unit_of_work import Ports
from upgrade_orchestrator.service.views.board import BoardView
from upgrade_orchestrator.service.views.choices import Choices, Target
from upgrade_orchestrator.service.views.queries import ExecutionView
from upgrade_orchestrator.web.app import create_app
from upgrade_orchestrator.web.openapi import reference_page
from upgrade_orchestrator.web.openapi.description import description
from upgrade_orchestrator.web.security import Caller
from upgrade_orchestrator.web.view import statistics
from upgrade_orchestrator.web.view.board import BoardQuery, _counts
from upgrade_orchestrator.web.view.create_form import _groups
from upgrade_orchestrator.web.view.error_pages import refusal
from upgrade_orchestrator.web.view.registry.form_options import Chosen, offers
from upgrade_orchestrator.web.view.registry.mends import MENDS

S, I = ExecutionStatus, InstanceStatus  # noqa: E741 - as in the domain's tables
Values = Callable[[], Mapping[str, Any]]
MONDAY = date(2031, 2, 24)
_VERSIONS = ("3.6.0", "3.7.0", "3.8.0-rc1")


def board(*names: str, **more: Any) -> Mapping[str, Any]:
    """The list with these stories, each begun and ended at its own time."""
    views = [_view(name, n) for n, name in enumerate(names)]
    return {
        "rows": views,
        "counts": _counts(BoardView(views, _counted(views))),
        "asked": BoardQuery(),
        "limited": False,
        "older": None,
        "caller": "ada",
        "strategies": list(Strategy),
        "creates": True,
    } | more


def attention_board() -> Mapping[str, Any]:
    """The list with an upgrade for each thing that can need attention."""
    rows = [detail_of(replace(each, id=f"e-{code}")).view for code, each in ATTENTIONS.items()]
    return {**board(), "rows": rows}


def _view(name: str, n: int) -> ExecutionView:
    story = STORIES[name]
    times = {"created_at": ago(40 + 500 * n), "started_at": ago(38 + 500 * n)} if n > 8 else {}
    ended = {"completed_at": ago(3 + 490 * n)} if story.status in TERMINAL else {}
    return detail_of(replace(story, id=f"e-{n}-{name}", fields={**story.fields, **times, **ended})).view


def _counted(views: list[ExecutionView]) -> Counts:
    found = Counter(each.execution.status for each in views)
    return Counts(
        {status: n for status, n in found.items() if status not in TERMINAL},
        {status: n for status, n in found.items() if status in TERMINAL},
        sum(each.awaits is not None for each in views),
        sum(each.execution.attention is not None for each in views),
    )


def _history(ended: bool) -> History:
    weeks = [Week(MONDAY + timedelta(weeks=n), _figures(n) if ended else Figures()) for n in range(12)]
    overall = Figures(61, 46, 9, 6, 0, 2900.0, 2400.0, 9400.0, 310.0) if ended else Figures()
    return History(overall, {each: _figures(n + 1) for n, each in enumerate(Strategy)} if ended else {}, weeks)


def _figures(n: int) -> Figures:
    if n % 5 == 4:
        return Figures()
    good, bad, cancelled = 3 + n % 4, n % 3, n % 2
    return Figures(
        good + bad + cancelled, good, bad, cancelled, 0, 2000.0, 1500.0 + 300 * n, 4000.0 + 700 * (n % 6), 60.0
    )


async def _no_ports() -> Ports:
    raise AssertionError("a description opens nothing")


async def _no_user(_: Request) -> Caller:
    raise Unauthenticated("no user")


def document() -> dict[str, Any]:
    """The OpenAPI document of the app."""
    return description(create_app(_no_ports, _no_user), "/api/v1/registry")


def _reference() -> Mapping[str, Any]:
    return reference_page.template_values(document())


def _form() -> Mapping[str, Any]:
    kafka = Component(id="kafka", name="Kafka")
    old, new, draft = (ComponentVersion(id=f"v-{each}", component_id="kafka", version=each) for each in _VERSIONS)
    deployment = Deployment(
        tenant_id="acme", component_id="kafka", driver="agent", conn_id="c", fleet="f", current_version_id=old.id
    )
    targets = [Target(replace(new, recommended=True), False), Target(draft, False, version_reasons=("is DRAFT",))]
    summary = ComponentSummary(kafka, versions=3, recommended=new.version, deployments=1, active=0)
    choices = Choices([summary], deployment, [old], old, targets, without_path=2)
    return {"groups": _groups(offers(["acme"], choices, Chosen("acme", "kafka", old.id, new.id))), "mends": MENDS}


MANY = (*STORIES, *STORIES)[:20]
LISTS: Mapping[str, tuple[str, str, Values]] = {
    "list-many": ("upgrades", "board.html", lambda: board(*MANY, older="?cursor=x")),
    "list-few": ("upgrades", "board.html", lambda: board("running", "completed")),
    "list-attention": ("upgrades", "board.html", attention_board),
    "list-empty": ("upgrades", "board.html", board),
    "list-no-match": ("upgrades", "board.html", lambda: board(asked=BoardQuery(text="kafak", tenant="acme"))),
    "statistics": (
        "components/kafka/statistics",
        "statistics.html",
        lambda: statistics.template_values(_history(True), "Component kafka", "?component=kafka"),
    ),
    "statistics-empty": (
        "components/kafka/statistics",
        "statistics.html",
        lambda: statistics.template_values(_history(False), "Component kafka", "?component=kafka"),
    ),
    "form": ("upgrades/new", "create.html", _form),
    "reference": ("docs", "reference.html", _reference),
    "tab-of-another-dag": ("dags/nightly", "no_upgrade.html", lambda: {"dag_id": "nightly", "kind": "other"}),
    "refused-session": ("upgrades", "refusal.html", lambda: refusal(Unauthenticated("no token"))),
    "refused-role": ("upgrades", "refusal.html", lambda: refusal(Forbidden("nina lacks the permission READ"))),
    "refused-unknown": ("upgrades/x", "refusal.html", lambda: refusal(NotFound("there is no execution x"))),
    "refused-away": ("upgrades", "refusal.html", lambda: refusal(Unavailable("the database does not answer"))),
    "refused-filter": (
        "upgrades",
        "refusal.html",
        lambda: refusal(ValidationFailed.of("status", "should be one of PENDING, ACTIVE")),
    ),
}
"""Path, template and values of each page by its name."""
