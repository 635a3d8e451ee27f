"""`make demo` follows an upgrade to its last event and shows it; what is gone is called so."""

from collections.abc import Mapping
from io import StringIO

import pytest
from rich.console import Console

from local.demo.event_lines import line_of
from local.demo.following import SETTLED, Snapshot, follow
from local.demo.progress import LiveView, PlainView, time_left
from local.demo.rest import Json, Rest
from local.docs.event_examples import EXAMPLES
from upgrade_orchestrator.domain.execution.events import EventType
from upgrade_orchestrator.service.events.cloud_event import cloud_event

SAYS: Json = {"status": "COMPLETED", "versions": {"3.7.0": 18, "unknown": 2}, "fleetSeen": True}


class Orchestrator(Rest):
    """The REST API of an upgrade that has one of `statuses` a look; `settled` is the look that has the last event."""

    def __init__(self, statuses: list[str], settled: int | None) -> None:
        super().__init__("http://orchestrator", "token")
        self._statuses, self._settled = statuses, settled
        self.looks = 0

    def get(self, path: str, params: Mapping[str, int] | None = None) -> Json:
        """What is read of the upgrade."""
        if path.endswith("/instances"):
            return {"items": []}
        if path.endswith("/events"):
            over = self.looks == self._settled
            return {"items": [{"sequence": 1, "type": SETTLED, "data": SAYS}] if over else [], "nextCursor": None}
        self.looks += 1
        status = self._statuses[min(self.looks, len(self._statuses)) - 1]
        return {"status": status, "statusReason": f"look {self.looks}", "batchDelaySeconds": 0}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.following._POLL_SECONDS", 0.001)
    monkeypatch.setattr("local.demo.following._SETTLING_SECONDS", 5)


@pytest.mark.parametrize("settled", [1, 2, 4], ids=["before the status", "with the status", "after the status"])
def test_upgrade_is_followed_until_one_look_after_its_last_event(settled: int) -> None:
    rest, output = Orchestrator(["IN_PROGRESS", "COMPLETED"], settled), StringIO()
    view = PlainView(Console(file=output, width=200))
    snapshots = list(follow(rest, "e-1"))
    for each in snapshots:
        view.show(each)
    assert (len(snapshots), snapshots[-1].execution["statusReason"]) == (settled + 1, f"look {settled + 1}")
    assert output.getvalue().split("  ")[-1] == "settled COMPLETED: 18 on 3.7.0, 2 unknown\n"


def test_last_event_that_does_not_come_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.following._SETTLING_SECONDS", 0.01)
    *_, last = follow(Orchestrator(["FAILED"], None), "e-1")
    assert (last.execution["status"], last.is_settled) == ("FAILED", False)


def test_count_by_the_record_is_called_so() -> None:
    line = line_of({"type": SETTLED, "data": SAYS | {"fleetSeen": False}})
    assert line == "settled COMPLETED: 18 on 3.7.0, 2 unknown by the record, the fleet was not counted"


@pytest.mark.parametrize(("gone", "end"), [(True, "FAILED (gone): lost"), (False, "FAILED: lost")])
def test_instance_that_is_gone_is_called_so(gone: bool, end: str) -> None:
    data = {"instanceId": "i-1", "from": "UPGRADING", "to": "FAILED", "error": "lost", "gone": gone}
    what = EventType.INSTANCE_CHANGED.cloud_type
    assert line_of({"type": what, "data": data}) == f"  i-1 UPGRADING → {end}"


@pytest.mark.parametrize("what", EventType)
def test_example_of_every_event_type_has_a_line(what: EventType) -> None:
    shown = line_of(dict(cloud_event(EXAMPLES[what])))
    assert shown.strip()
    assert "\n" not in shown


def view_of(execution: Json, *events: Json) -> Snapshot:
    """A snapshot of an upgrade whose progress is that."""
    progress = {"percentage": 25, "currentBatch": 1, "totalBatches": 4, "estimatedCompletionAt": None}
    whole = {"id": "e-1", "status": "IN_PROGRESS", "statusReason": "x", "strategy": "ROLLING", "validationChecks": []}
    return Snapshot(whole | {"progress": progress, "attention": None} | execution, [], list(events), 1.0)


def printed(view: type[PlainView] | type[LiveView], snapshot: Snapshot) -> str:
    """What is shown of it."""
    output = StringIO()
    with view(Console(file=output, width=200, force_terminal=view is LiveView)) as shown:
        shown.show(snapshot)
    return output.getvalue()


@pytest.mark.parametrize("view", [PlainView, LiveView])
def test_attention_is_shown_while_it_lasts_and_no_time_left(view: type[PlainView] | type[LiveView]) -> None:
    event: Json = dict(cloud_event(EXAMPLES[EventType.PROGRESS]))
    said = printed(view, view_of({"attention": event["data"]["attention"]}, event))
    assert "needs attention: FLEET_UNREACHABLE: the agent does not answer" in said
    assert "left" not in said
    well = event | {"data": event["data"] | {"attention": None}}
    assert "attention" not in printed(view, view_of({}, well))


def test_time_left_that_is_over_says_how_late_it_is() -> None:
    late = {"progress": {"estimatedCompletionAt": "2026-01-31T12:00:00Z"}}
    assert time_left(late, ", ").endswith("s later than estimated")
    soon = {"progress": {"estimatedCompletionAt": "2096-01-31T12:00:00Z"}}
    assert time_left(soon, ", ").endswith("s left")
