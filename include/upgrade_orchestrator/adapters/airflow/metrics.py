"""Figures for Airflow's own metrics (StatsD, Datadog, OpenTelemetry): wherever the deployment sends those."""

from __future__ import annotations

from datetime import timedelta

from upgrade_orchestrator.domain.events.metrics import Figure, Kind

_BACKENDS = ("statsd_datadog_enabled", "statsd_on", "otel_on")
"In the order in which Airflow chooses."


class AirflowMetrics:
    """Port ``Metrics``; API server only, which has set up Airflow's stats."""

    def are_on(self) -> bool:
        """By Airflow's configuration, section ``metrics``."""
        return _backend() is not None

    def show(self, figure: Figure) -> None:
        """Nothing happens where no metrics are switched on."""
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
    """Plain StatsD knows no tags: figures would be taken for each other."""
    from airflow.configuration import conf

    if _backend() != "statsd_on":
        return True
    return bool(conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False))
