"""The status view in a real browser, with 20 and with 200 running upgrades of 50 instances each.

The upgrades are a crowd at rest (bench/load/crowd.py); what happens to them is written into the database as the product
writes it: an instance's row, the execution's, an event, one commit.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from rich.table import Table

from bench.load.crowd import Crowd, control_loops_stopped, gather
from bench.stack.world import World
from local.airflow.settings import UPGRADES_DATABASE
from local.chromium import ARGUMENTS, MISSING, find_chromium

FEW, MANY, INSTANCES = 20, 200, 50
READS, UPDATES = 60, 40
UPDATE_GAP_SECONDS = 0.5
_WITHIN_SECONDS = 30.0
_VIEW = "/api/v1/registry/view"
_CHANGE = """
WITH one AS (SELECT execution_id, instance_id FROM instance
             WHERE execution_id = %(id)s AND status IN ('PENDING', 'COMPLETED') ORDER BY random() LIMIT 1),
 changed AS (UPDATE instance i SET status = CASE WHEN i.status = 'PENDING' THEN 'COMPLETED' ELSE 'PENDING' END
             FROM one WHERE i.execution_id = one.execution_id AND i.instance_id = one.instance_id
             RETURNING i.execution_id),
 moved AS (UPDATE execution SET last_sequence = last_sequence + 1, version = version + 1
           WHERE id = (SELECT execution_id FROM changed) RETURNING id, tenant_id, last_sequence)
INSERT INTO event (execution_id, sequence, id, tenant_id, what, time, data, published_at)
SELECT id, last_sequence, gen_random_uuid()::text, tenant_id, 'instance-changed', clock_timestamp(), '{}'::jsonb,
       clock_timestamp() FROM moved RETURNING sequence
"""
_WATCH = """(selector) => {
  window.seen = [];
  const look = () => {
    const found = document.querySelector(selector);
    const now = found && (found.dataset.sequence || found.querySelector(".numbers").textContent);
    const last = window.seen.at(-1);
    if (found && (!last || last[1] !== now)) window.seen.push([performance.timeOrigin + performance.now(), now]);
  };
  look();
  const watched = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document.getElementById("part"), watched);
}"""


@dataclass(frozen=True)
class Measured:
    """Times in seconds; memory in MB: each page's heap after a collection, and a page's process minus that of a blank
    page.
    """

    list_few: list[float]
    list_many: list[float]
    to_execution: list[float]
    to_list: list[float]
    list_heap: float
    execution_heap: float
    process_loaded: float
    process: float
    minutes: float

    def table(self) -> Table:
        """The results as rows of a table, with the wanted values."""
        few, many = statistics.median(self.list_few), statistics.median(self.list_many)
        table = Table(title=f"the status view, upgrades of {INSTANCES} instances", title_justify="left")
        for name in ("what", "measured", "wanted"):
            table.add_column(name, justify="left" if name == "what" else "right")
        table.add_row(f"list with {FEW} running, p50", f"{few * 1000:.0f} ms", "")
        table.add_row(f"list with {MANY} running, p50", f"{many * 1000:.0f} ms ({many / few:.2f} x)", "1.30 x")
        for name, times in (("an upgrade's page", self.to_execution), ("the list", self.to_list)):
            table.add_row(f"commit to {name}, p50", f"{statistics.median(times) * 1000:.0f} ms", "")
            table.add_row(f"commit to {name}, slowest", f"{max(times) * 1000:.0f} ms", "1000 ms")
        for name, heap in (("the list", self.list_heap), ("an upgrade's page", self.execution_heap)):
            table.add_row(f"heap of {name} after {self.minutes:g} min", f"{heap:.1f} MB", "50 MB")
        table.add_row("process of a page, less a blank one's, once loaded", f"{self.process_loaded:.1f} MB", "")
        table.add_row(f"the same after {self.minutes:g} min", f"{self.process:.1f} MB", "50 MB")
        return table

    def dump(self) -> dict[str, Any]:
        """The measurement as JSON."""
        return asdict(self)


def measure_view(world: World, minutes: float, progress: Callable[[str], None]) -> Measured:
    """Measure with few upgrades and with many; latencies and memory with many."""
    with control_loops_stopped(world):
        return _measured(world, minutes, progress)


def _measured(world: World, minutes: float, progress: Callable[[str], None]) -> Measured:
    progress(f"{FEW} running upgrades of {INSTANCES} instances")
    few = gather(world, FEW, progress, INSTANCES, "view-few")
    list_few = _list_times(world)
    progress(f"{MANY} of them")
    many = gather(world, MANY - FEW, progress, INSTANCES, "view-many")
    list_many = _list_times(world)
    crowd = Crowd([*few.ids, *many.ids])
    with _browser() as browser:
        page = _logged_in(browser, world)
        progress("from a commit to an upgrade's page")
        to_execution = _latencies(world, page, f"{_VIEW}/upgrades/{crowd.ids[0]}", "#head", crowd.ids[0])
        progress("from a commit to the list")
        shown = _first_shown(page)
        to_list = _latencies(world, page, f"{_VIEW}/upgrades", f"[id='row-{shown}']", shown)
        progress(f"both pages for {minutes:g} min")
        memory = _memory(world, page, crowd, minutes)
    return Measured(list_few, list_many, to_execution, to_list, *memory, minutes)


def _list_times(world: World) -> list[float]:
    spent = []
    for turn in range(READS + 5):
        began = time.perf_counter()
        world.registry.get("/view/board", headers={"Accept": "text/html"}).raise_for_status()
        if turn >= 5:  # the first ones warm up
            spent.append(time.perf_counter() - began)
    return spent


@contextmanager
def _browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        yield started
        started.close()


def _logged_in(browser: Browser, world: World) -> Page:
    page = browser.new_context(base_url=world.stack.url).new_page()
    page.goto("/auth/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(world.stack.credentials().admin_password)
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url(lambda url: "/auth/login" not in url)
    return page


def _first_shown(page: Page) -> str:
    page.goto(f"{_VIEW}/upgrades")
    return str(page.locator(".row").first.get_attribute("id")).removeprefix("row-")


def _latencies(world: World, page: Page, url: str, selector: str, execution_id: str) -> list[float]:
    """Seconds from the commit until the page shows something else there."""
    page.goto(url)
    page.locator("#live", has_text="Live").wait_for()
    page.evaluate(_WATCH, selector)
    spent = []
    for _ in range(UPDATES):
        seen = page.evaluate("() => window.seen.length")
        _change(world, execution_id)
        committed = time.time()
        page.wait_for_function("seen => window.seen.length > seen", arg=seen, timeout=_WITHIN_SECONDS * 1000)
        spent.append(page.evaluate("() => window.seen.at(-1)[0]") / 1000 - committed)
        time.sleep(UPDATE_GAP_SECONDS)
    return spent


def _change(world: World, execution_id: str) -> None:
    with world.stack.postgres().connect(UPGRADES_DATABASE) as connection:
        connection.execute(_CHANGE, {"id": execution_id})


def _memory(world: World, page: Page, crowd: Crowd, minutes: float) -> tuple[float, float, float, float]:
    """Memory of the list and of an upgrade's page while they update themselves: two changes a second on each."""
    other = page.context.new_page()
    for each in (page, other):
        each.goto("about:blank")
    blank = _renderers()
    page.goto(f"{_VIEW}/upgrades")
    other.goto(f"{_VIEW}/upgrades/{crowd.ids[0]}")
    for each in (page, other):
        each.locator("#live", has_text="Live").wait_for()
    loaded = _renderers()
    deadline = time.monotonic() + minutes * 60
    for execution_id in cycle(crowd.ids[1:]):
        if time.monotonic() > deadline:
            break
        for changed in (execution_id, crowd.ids[0]):
            _change(world, changed)
        page.wait_for_timeout(UPDATE_GAP_SECONDS * 1000)
    return _heap(page), _heap(other), (loaded - blank) / 2e6, (_renderers() - blank) / 2e6


def _heap(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"] / 1e6)


def _renderers() -> float:
    """Bytes that belong to the browser's pages alone."""
    mine = psutil.Process().children(recursive=True)
    return float(sum(each.memory_full_info().uss for each in mine if "--type=renderer" in " ".join(each.cmdline())))
