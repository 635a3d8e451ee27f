"""How fast executions are read, with 1,000 and with 100,000 of them stored, beside Airflow's own read of a DAG run.

All of it on one server in one run, in turns. The executions are copies of a real, finished one, written into the
database; all belong to one tenant, which is the hardest case for its list.
"""

import asyncio
import itertools
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
import httpx
from rich.table import Table

from bench.jobs.bare_airflow import DAG_ID
from bench.stack.clients import answered
from bench.stack.world import World, tenant_names
from local.airflow.settings import UPGRADES_DATABASE

FEW, MANY = 1_000, 100_000
TENANT = "bench-reads"
CLIENTS, SECONDS, TURNS = 4, 2.0, 5
ONE, LIST, AIRFLOW = "GET /upgrades/{id}", "GET /tenants/{id}/upgrades", "Airflow: GET dagRuns/{run}"

_MEMBERS = """(SELECT 'reads-' || lpad(n::text, 6, '0') AS id, n
               FROM generate_series(%(first)s::int, %(last)s::int) AS n) m"""
_COPIES = (
    f"""INSERT INTO execution SELECT (jsonb_populate_record(e, jsonb_build_object('id', m.id, 'tenant_id', '{TENANT}',
        'created_at', e.created_at - m.n * interval '1 second'))).*
        FROM execution e, {_MEMBERS} WHERE e.id = %(template)s""",
    *(
        f"""INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object('execution_id', m.id))).*
        FROM {table} t, {_MEMBERS} WHERE t.execution_id = %(template)s"""
        for table in ("batch", "instance", "check_result")
    ),
)


@dataclass(frozen=True)
class Reading:
    """One call with that number of stored executions: the medians of several turns."""

    call: str
    stored: int
    per_second: float
    p50_ms: float
    p95_ms: float


def measure_reads(world: World, progress: Callable[[str], None]) -> list[Reading]:
    """Store the executions and read; the stack must have run the reference job and the bare DAG before."""
    template = answered(world.registry.get(f"/tenants/{tenant_names(1)[0]}/upgrades"))["items"][0]["id"]
    run = answered(world.airflow.get(f"/dags/{DAG_ID}/dagRuns"))["dag_runs"][0]["dag_run_id"]
    found: list[Reading] = []
    for first, stored in ((1, FEW), (FEW + 1, MANY)):
        progress(f"storing executions up to {stored}")
        _store(world, template, first, stored)
        progress(f"reading with {stored} executions stored")
        found += _read(world, stored, f"/dags/{DAG_ID}/dagRuns/{run}")
    return found


def table_of(readings: list[Reading]) -> Table:
    """Print the readings and the ratios."""
    table = Table(title=f"reads by {CLIENTS} clients, medians of {TURNS} turns of {SECONDS:g} s", title_justify="left")
    for name in ("call", "stored", "requests/s", "p50 ms", "p95 ms"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for each in readings:
        figures = (each.per_second, each.p50_ms, each.p95_ms)
        table.add_row(each.call, str(each.stored), *(f"{figure:.1f}" for figure in figures))
    return table


def verdicts(readings: list[Reading]) -> dict[str, float]:
    """The ratio of ours to Airflow's with all stored (requests a second, p95), and of the list's time with many to with
    few.
    """
    by = {(each.call, each.stored): each for each in readings}
    one, airflow = by[ONE, MANY], by[AIRFLOW, MANY]
    return {
        "requests a second, x Airflow": one.per_second / airflow.per_second,
        "p95, x Airflow": one.p95_ms / airflow.p95_ms,
        f"list with {MANY} stored, x with {FEW}": by[LIST, MANY].p50_ms / by[LIST, FEW].p50_ms,
    }


def dump(readings: list[Reading]) -> dict[str, Any]:
    """The readings as JSON."""
    return {"reads": [asdict(each) for each in readings], "verdicts": verdicts(readings)}


def _store(world: World, template: str, first: int, last: int) -> None:
    with world.stack.postgres().connect(UPGRADES_DATABASE) as connection:
        for statement in _COPIES:
            connection.execute(statement, {"template": template, "first": first, "last": last})
        connection.execute("VACUUM ANALYZE")


def _read(world: World, stored: int, run_path: str) -> list[Reading]:
    """Take turns, so that whatever else happens on the machine happens to each."""
    registry, airflow = str(world.registry.base_url), str(world.airflow.base_url)
    ids = [f"reads-{1 + n * (stored - 1) // 997:06d}" for n in range(997)]
    calls = {
        ONE: [f"{registry}upgrades/{each}" for each in ids],
        AIRFLOW: [f"{airflow}{run_path.lstrip('/')}"],
        LIST: [f"{registry}tenants/{TENANT}/upgrades"],
    }
    turns: dict[str, list[list[float]]] = {call: [] for call in calls}
    for turn in range(TURNS + 1):
        for call, urls in calls.items():
            spent = asyncio.run(_turn(urls, world.registry.headers))
            if turn:  # the first one warms up
                turns[call].append(spent)
    return [_reading(call, stored, each) for call, each in turns.items()]


async def _turn(urls: list[str], headers: httpx.Headers) -> list[float]:
    """Seconds of each request that several clients make one after the other."""
    endless, spent = itertools.cycle(urls), list[float]()
    token = {"Authorization": headers["Authorization"]}
    async with aiohttp.ClientSession(headers=token) as session:
        deadline = time.monotonic() + SECONDS
        await asyncio.gather(*(_client(session, endless, deadline, spent) for _ in range(CLIENTS)))
    return spent


async def _client(
    session: aiohttp.ClientSession, urls: "itertools.cycle[str]", deadline: float, spent: list[float]
) -> None:
    while (began := time.monotonic()) < deadline:
        async with session.get(next(urls)) as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.url}: {answer.status}")
        spent.append(time.monotonic() - began)


def _reading(call: str, stored: int, turns: list[list[float]]) -> Reading:
    p50, p95 = (statistics.median(_percentile(each, part) for each in turns) * 1000 for part in (0.5, 0.95))
    return Reading(call, stored, statistics.median(len(each) for each in turns) / SECONDS, p50, p95)


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * part) - 1)]
