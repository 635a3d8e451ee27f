"""Metrics of real upgrades: what reaches a real StatsD and an OpenTelemetry collector through Airflow's own stats."""

import atexit
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from local.ports import HOST
from tests.integration.metric_receivers import StatsD, collecting, switch_on
from tests.integration.store_lab import MakeLab
from upgrade_orchestrator.adapters.airflow.metrics import AirflowMetrics
from upgrade_orchestrator.service.events.metrics import measure

LAST = "airflow.upgrades.approvals.oldest_seconds"
"The last metric that a round shows."


@pytest.fixture
def statsd() -> Iterator[StatsD]:
    made = StatsD()
    yield made
    made.close()


async def test_disabled_metrics_send_no_database_query(make_lab: MakeLab) -> None:
    lab = await make_lab(1)
    assert not AirflowMetrics().are_on()
    await measure(replace(lab.world.ports, event_cursors=None))  # type: ignore[arg-type]
    assert lab.world.rows("followed") == 0


async def test_statsd_without_tags_gets_a_distinct_name_for_each_metric(
    make_lab: MakeLab, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await make_lab(1)
    switch_on(monkeypatch, statsd_on=True, statsd_host=HOST, statsd_port=statsd.port)
    await lab.upgrade(await lab.admitted())
    await measure(lab.world.ports)
    lines = statsd.until(LAST)
    assert "airflow.upgrades.execution.ended.COMPLETED.ROLLING:1|c" in lines
    assert "airflow.upgrades.executions.IN_PROGRESS.ROLLING:0|g" in lines
    (took,) = [each for each in lines if each.startswith("airflow.upgrades.execution.duration.COMPLETED.ROLLING:")]
    assert re.fullmatch(r".*:\d+(\.\d+)?\|ms", took)
    names = [each.split(":")[0] for each in lines if each.endswith("|g")]
    assert len(names) == len(set(names))


async def test_statsd_with_tags_gets_the_tags_of_each_metric(
    make_lab: MakeLab, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await make_lab(1)
    where = {"statsd_host": HOST, "statsd_port": statsd.port}
    switch_on(monkeypatch, statsd_on=True, statsd_influxdb_enabled=True, **where)
    await lab.upgrade(await lab.admitted())
    await measure(lab.world.ports)
    lines = statsd.until(LAST)
    assert "airflow.upgrades.execution.ended,status=COMPLETED,strategy=ROLLING:1|c" in lines


async def test_opentelemetry_collector_gets_every_kind_of_metric(
    make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await make_lab(1)
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"http://{HOST}:{collector.server_port}/v1/metrics")
        monkeypatch.setenv("NO_PROXY", HOST)
        switch_on(monkeypatch, otel_on=True)
        await lab.upgrade(await lab.admitted())
        await measure(lab.world.ports)
        _flush()
    of = {"status": "COMPLETED", "strategy": "ROLLING"}
    assert ("airflow.upgrades.execution.ended", of, 1.0) in collector.points
    assert ("airflow.upgrades.executions", {"status": "PAUSED", "strategy": "STAGED"}, 0.0) in collector.points
    took = {value for name, tags, value in collector.points if name.endswith("execution.duration") and tags == of}
    assert len(took) == 1
    assert 0 < took.pop() < 60_000
    assert collector.units["airflow.upgrades.execution.duration"] == "ms"


def _flush() -> None:
    from airflow._shared.observability.metrics.otel_logger import flush_otel_metrics
    from opentelemetry import metrics

    atexit.unregister(flush_otel_metrics)
    provider = metrics.get_meter_provider()
    assert provider.force_flush()  # type: ignore[attr-defined]
    provider.shutdown()  # type: ignore[attr-defined]
