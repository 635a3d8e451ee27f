"""The table and the file of `python -m bench canaries`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.canaries.canaries import POLL_SECONDS, Waiting
from bench.report import machine, machine_line, save
from bench.stack.watching import Window
from local.airflow.settings import API_SERVER, DAG_PROCESSOR, SCHEDULER, TRIGGERER
from local.stack.components import AGENT, POSTGRES

MAX_CONNECTIONS = 10
_COUNTED = (
    "worker slots: tasks queued or running in Airflow, which hold a slot of their pool and of a worker; looked at ten "
    "times a second, as the connections to the product's database. By holder: the most of each at one moment.",
    "memory: PSS (RSS where there is none) at the end of each window. CPU: the processes with their ended children.",
    "between polls: from one canary-polled event of an execution to its next.",
)

Cells = tuple[str, str, str, str]
"One row: what is measured, the wanted value, the value at rest, and the value with the canaries."


@dataclass(frozen=True)
class CanaryReport:
    """The table of what waiting canaries cost."""

    found: Waiting

    def print(self, console: Console) -> None:
        """Print the table, and how to read it."""
        count, seconds = self.found.count, self.found.during.seconds
        table = Table(title=f"{count} canaries in CANARY_MONITORING, {seconds:.0f} s", title_justify="left")
        for name in ("", "wanted", "at rest before", f"{count} canaries"):
            table.add_column(name, justify="right" if name else "left")
        for group in (self._held(), self._used(), self._polled()):
            for cells in group:
                table.add_row(*cells)
            table.add_section()
        console.print(table)
        for line in (*_COUNTED, machine_line()):
            console.print(f"- {line}", highlight=False)

    def save(self, folder: Path) -> Path:
        """Write the measurement as JSON."""
        return save(folder, "-canaries", {"machine": machine(), **self._dump()})

    def _dump(self) -> dict[str, Any]:
        return {"wanted": {"slots": 0, "connections": MAX_CONNECTIONS}, "canaries": self.found.dump()}

    def _held(self) -> Iterator[Cells]:
        before, during = self.found.before, self.found.during
        yield "worker slots held, most", "0", str(before.slots), str(during.slots)
        yield "… for how many seconds", "0", f"{before.slot_seconds:.1f}", f"{during.slot_seconds:.1f}"
        yield "tasks deferred", str(self.found.count), str(before.deferred), str(during.deferred)
        yield "connections, most", f"at most {MAX_CONNECTIONS}", str(before.connections), str(during.connections)
        for holder in sorted({**before.by_holder, **during.by_holder}):
            yield f"… {holder}", "", *self._both(lambda each, of=holder: each.by_holder.get(of, 0), "{}")

    def _used(self) -> Iterator[Cells]:
        for name in (TRIGGERER, API_SERVER, SCHEDULER, DAG_PROCESSOR, POSTGRES, AGENT):
            yield f"memory MB, {name}", "", *self._both(lambda each, of=name: each.memory[of] / 2**20, "{:.0f}")
        yield "memory MB, all of Airflow", "", *self._both(lambda each: each.airflow_memory() / 2**20, "{:.0f}")
        for name in (TRIGGERER, API_SERVER, SCHEDULER, DAG_PROCESSOR, POSTGRES, AGENT):
            yield f"CPU s/min, {name}", "", *self._both(lambda each, of=name: each.cpu[of], "{:.2f}")
        yield "CPU s/min, all of Airflow", "", *self._both(Window.airflow_cpu, "{:.2f}")
        yield "CPU s/min, everything else there", "", *self._both(lambda each: each.elsewhere, "{:.2f}")

    def _both(self, figure: Callable[..., float], text: str) -> tuple[str, str]:
        return text.format(figure(self.found.before)), text.format(figure(self.found.during))

    def _polled(self) -> Iterator[Cells]:
        found = self.found
        yield "polls", f"{found.wanted_polls:.0f}", "", str(len(found.gaps))
        for name, percent in (("p50", 50), ("p95", 95), ("most", 100)):
            yield f"s between polls, {name}", str(POLL_SECONDS), "", f"{found.gap(percent):.2f}"
        yield "from the first create to all deferred, s", "", "", f"{found.gathered:.0f}"
        yield "from the first promotion to all COMPLETED, s", "", "", f"{found.completed:.0f}"
