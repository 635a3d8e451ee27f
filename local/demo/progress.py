"""Shows a followed upgrade: live tiles on a terminal, plain lines elsewhere."""

from collections import deque
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.demo.event_lines import line_of
from local.demo.following import Snapshot
from local.demo.rest import Json

_EVENTS_SHOWN = 8
_COLOURS = {
    "PENDING": "dim",
    "DRAINING": "yellow",
    "UPGRADING": "bold blue",
    "HEALTH_CHECKING": "cyan",
    "COMPLETED": "green",
    "PASSED": "green",
    "FAILED": "bold red",
    "WARNING": "yellow",
    "ROLLED_BACK": "magenta",
}


class View(AbstractContextManager["View"], Protocol):
    """Shows each snapshot."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the snapshot, with what has happened since the one before."""


def view_on(console: Console) -> View:
    """The live view when the console is a terminal, else plain lines."""
    return LiveView(console) if console.is_terminal else PlainView(console)


class PlainView(View):
    """Shows a line for each event, with the time left after each progress event."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """There is nothing to close."""

    def show(self, snapshot: Snapshot) -> None:
        """Print the snapshot's events."""
        for event in snapshot.events:
            line = f"{snapshot.seconds:6.1f} s  {line_of(event)}"
            if event["type"] == "registry.upgrade.progress.v1":
                line += time_left(snapshot.execution, ", ")
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView(View):
    """Shows status, checks, a tile for each instance, progress with the time left, and the latest events."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8)
        self._lines: deque[str] = deque(maxlen=_EVENTS_SHOWN)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Redraw the view."""
        for event in snapshot.events:
            self._lines.append(line_of(event))
        self._live.update(panel(snapshot, list(self._lines)))


def panel(snapshot: Snapshot, lines: list[str]) -> RenderableType:
    """The whole view, from top to bottom."""
    execution = snapshot.execution
    title = f"{execution['strategy']} {execution['id']}  {execution['status']}  {snapshot.seconds:.0f} s"
    events = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
    body = Group(_checks(execution), _tiles(snapshot.instances), _bar(execution), *_attention(execution), events)
    return Panel(body, title=title, subtitle=execution["statusReason"])


def time_left(execution: Json, before: str) -> str:
    """The estimated time left, if known; empty once the upgrade is over."""
    end = execution["progress"]["estimatedCompletionAt"]
    if end is None:
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.now(UTC)).total_seconds()
    return f"{before}about {seconds:.0f} s left" if seconds >= 0 else f"{before}{-seconds:.0f} s later than estimated"


def _attention(execution: Json) -> list[Text]:
    """What keeps the upgrade from going on."""
    found = execution["attention"]
    return [Text(f"needs attention: {found['code']}: {found['message']}", style="bold red")] if found else []


def _checks(execution: Json) -> Table:
    table = Table.grid(padding=(0, 2))
    for check in execution["validationChecks"]:
        table.add_row(_coloured(check["status"]), check["name"], Text(check["message"], overflow="ellipsis"))
    return table


def _tiles(instances: list[Json]) -> Columns:
    return Columns([_tile(each) for each in instances], equal=True)


def _tile(instance: Json) -> Panel:
    status = instance["status"]
    return Panel(_coloured(status), title=instance["instanceId"], width=19, border_style=_COLOURS.get(status, ""))


def _coloured(status: str) -> Text:
    return Text(status, style=_COLOURS.get(status, ""))


def _bar(execution: Json) -> Table:
    progress = execution["progress"]
    table = Table.grid(padding=(0, 1))
    words = f"{progress['percentage']} %  batch {progress['currentBatch']} of {progress['totalBatches']}"
    bar = ProgressBar(total=100, completed=progress["percentage"], width=50)
    table.add_row(bar, words + time_left(execution, "  "))
    return table
