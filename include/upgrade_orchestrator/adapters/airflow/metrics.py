"""Sends metrics through Airflow's own metrics backend (StatsD, Datadog, OpenTelemetry)."""

from __future__ import annotations

from datetime import timedelta

from upgrade_orchestrator.domain.events.metrics import Kind, MetricValue

_BACKENDS = ("statsd_datadog_enabled", "statsd_on", "otel_on")
"Options that switch a backend on, in the order in which Airflow chooses."


class AirflowMetrics:
    """Port ``Metrics``; API server only, because it initialises Airflow's stats."""

    def are_on(self) -> bool:
        """Read from Airflow's configuration, section ``[metrics]``."""
        return _backend() is not None

    def show(self, figure: MetricValue) -> None:
        """Does nothing when no backend is switched on."""
        from airflow.observability import stats

        tagged = _carries_tags()
        name = figure.metric.name if tagged else figure.full_name
        tags = dict(figure.tags) if tagged else None
        match figure.metric.kind:
            case Kind.GAUGE:
                stats.gauge(name, figure.value, tags=tags)
            case Kind.COUNTER:
                stats.incr(name, int(figure.value), tags=tags)
            case Kind.TIMER:
                stats.timing(name, timedelta(milliseconds=figure.value), tags=tags)


def _backend() -> str | None:
    from airflow.configuration import conf

    return next((each for each in _BACKENDS if conf.getboolean("metrics", each, fallback=False)), None)


def _carries_tags() -> bool:
    """Plain StatsD has no tags: without them in the name, figures of different tags would be mixed up."""
    from airflow.configuration import conf

    if _backend() != "statsd_on":
        return True
    return bool(conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False))
