"""Figures for Airflow's own metrics (StatsD, OpenTelemetry): wherever the deployment sends those."""

from __future__ import annotations


def show_gauge(name: str, value: float) -> None:
    """Nothing happens where no metrics are switched on. API server only."""
    from airflow.observability.stats import gauge

    gauge(name, value)
